"""Route 53's refusals, turned into a decision and words for a person."""

from appliance.dns.rows import Overtaken
from appliance.errors import RemoteFailed
from appliance.machine.aws import Answer

PASSING = {"Throttling", "ThrottlingException", "PriorRequestNotComplete", "ServiceUnavailable", "InternalFailure"}
BAD_KEY = {
    "InvalidClientTokenId": "it does not know the access key id",
    "UnrecognizedClientException": "it does not know the access key id",
    "SignatureDoesNotMatch": "the secret does not belong to the access key id",
    "IncompleteSignature": "the secret does not belong to the access key id",
}
CHANGED = ("not found", "already exists", "do not match", "doesn't match", "but it was not")
PERMISSION = {
    "find": "route53:ListHostedZonesByName",
    "list": "route53:ListHostedZones",
    "read": "route53:ListResourceRecordSets",
    "change": "route53:ChangeResourceRecordSets",
}


def refusal(status: int, answer: Answer, doing: str) -> RemoteFailed:
    code, said = answer.tag("Code"), " ".join(answer.tags("Message"))
    if status >= 500 or status == 429 or code in PASSING:
        return RemoteFailed(f"Route 53 could not {doing} just now ({code or status}).", permanent=False, said=said)
    if code in BAD_KEY:
        return RemoteFailed(
            f"Route 53 refused the access key: {BAD_KEY[code]}.",
            permanent=True,
            code="route53_key",
            todo=("Make an access key in IAM, and save its id and its secret in Settings, DNS.",),
            said=said,
        )
    if code == "RequestExpired" or "expired" in said.lower():
        todo = ("Set this host's clock by NTP.",)
        return RemoteFailed("The clock of this host is too far off for Route 53.", permanent=False, todo=todo)
    if code in ("AccessDenied", "AccessDeniedException") or status == 403:
        permission = PERMISSION[doing.partition(" ")[0]]
        return RemoteFailed(
            f"This access key may not {doing}.",
            permanent=True,
            code="route53_permission",
            todo=(f"In IAM, allow {permission} for the user that the key belongs to.",),
            said=said,
        )
    if any(word in said for word in CHANGED):
        return Overtaken(f"Route 53 could not {doing}: they have just been changed.", permanent=False, said=said)
    return RemoteFailed(f"Route 53 refused to {doing}: {said or code or status}.", permanent=True, said=said)
