"""Settings by the API: reading, changing and trying them."""

from pathlib import Path

from tests.api.test_contract import problem
from tests.appliance import Appliance


def test_a_secret_is_said_to_be_one_and_never_shown(fresh: Appliance) -> None:
    fresh.ask("PATCH", "/settings", json={"cloudflare_token": "never-to-be-seen", "dns_target": "192.0.2.7"})
    answer = fresh.ask("GET", "/settings")
    assert "never-to-be-seen" not in answer.text
    found = {one["name"]: one for one in answer.json()["items"]}
    assert found["cloudflare_token"] | {"saved_at": ""} == {
        "name": "cloudflare_token",
        "env": "HOMEPORT_CLOUDFLARE_TOKEN",
        "text": "A Cloudflare API token",
        "secret": True,
        "value": None,
        "set": True,
        "saved_at": "",
        "saved_by": found["dns_target"]["saved_by"],
    }
    assert found["dns_target"]["value"] == "192.0.2.7" and not found["dns_target"]["secret"]


def test_what_settings_lead_to_is_tried(server: Appliance, tmp_path: Path) -> None:
    there = tmp_path / "backups"
    there.mkdir()
    wanted = {"settings": {"backup_folder": str(there)}}
    (check,) = server.ask("POST", "/settings/backups/test", json=wanted).json()["items"]
    assert (check["status"], check["text"]) == ("ok", f"Homeport can write, read and delete in {there}.")
    assert list(there.iterdir()) == []
    kept = {one["name"]: one["value"] for one in server.get("/settings")["items"]}
    assert kept["backup_folder"] == "", "what was only tried is not saved"


def test_what_is_amiss_is_a_check_that_says_what_to_do(server: Appliance) -> None:
    lacking = {"settings": {"backup_place": "s3"}}
    (check,) = server.ask("POST", "/settings/backups/test", json=lacking).json()["items"]
    assert check["status"] == "failed" and check["text"].startswith("Name the bucket")
    (check,) = server.ask("POST", "/settings/mail/test").json()["items"]
    assert (check["status"], check["text"]) == ("failed", "No mail server is set.")
    assert check["mend"].startswith("Enter its host and the sender")
    (check,) = server.ask("POST", "/settings/dns/test", json={"settings": {"dns_provider": "none"}}).json()["items"]
    assert check["status"] == "off"


def test_a_test_that_is_not_asked_for_well_is_refused(server: Appliance) -> None:
    assert "Choose one of nginx, dns, " in problem(server.ask("POST", "/settings/weather/test"), 404)["todo"][0]
    wrong = {"settings": {"backup_hour": "25"}}
    problem(server.ask("POST", "/settings/backups/test", json=wrong), 422, backup_hour="an hour is a number")
    problem(server.ask("POST", "/settings/backups/test", json={"sett": {}}), 422, sett="There is no such field")
    problem(server.ask("POST", "/settings/mail/test", json={"to": "nobody"}), 422, to="")
    problem(server.ask("POST", "/settings/mail/test", json={"to": 4}), 422, to="This must be text")
