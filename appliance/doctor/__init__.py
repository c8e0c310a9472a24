"""What is and isn't in order on this host, each with its mend."""

from appliance.doctor.examine import Around, examine

__all__ = ["Around", "examine"]
