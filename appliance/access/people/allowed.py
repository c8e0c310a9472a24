"""Which addresses may join by themselves."""

from appliance.settings import Settings


def may_join(settings: Settings, email: str) -> bool:
    """By the whole domain: neither a name within it nor one that ends like it will do."""
    _, at, domain = email.rpartition("@")
    return bool(at and domain) and domain.lower() in settings.join_domains.split(",")
