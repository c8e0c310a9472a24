"""Whether NGINX shows deployments under their domain, where one is set."""

from appliance.model.checks import Check
from appliance.model.domains import Domain
from appliance.settings import Settings


def checks(settings: Settings, now: Domain | None) -> list[Check]:
    return [Check("nginx.deployments", *_found(settings, now))]


def _found(settings: Settings, now: Domain | None) -> tuple[str, str, str]:
    name = settings.nginx_deployments
    if not name:
        return "off", "No domain is set for the addresses of deployments.", "Optional: set HOMEPORT_NGINX_DEPLOYMENTS."
    if settings.backend == "builtin":
        mend = "Set HOMEPORT_BACKEND to auto or nginx."
        return "warn", f"Deployments are not shown under {name}: Homeport leaves NGINX alone.", mend
    if now is None or now.name != name or now.status == "pending":
        return "warn", f"Deployments are not shown under {name} yet.", "Look again in a moment, while Homeport runs."
    if now.status == "failed":
        return "failed", f"Deployments are not shown under {name}.", now.error or ""
    return "ok", f"NGINX shows deployments under {name}. {now.dns}", ""
