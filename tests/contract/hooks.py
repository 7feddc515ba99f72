"""What the fuzz needs to know: whose token it sends, and which client it must not revoke, since that is its own."""

import itertools
import os
import re
from urllib.parse import quote

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import positive_data_acceptance

API = os.environ["API"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
SPARE_CLIENT = os.environ["SPARE_CLIENT"]
TOKEN_ENDPOINT = "/v1/oauth/token"


# Tokens last 15 minutes; a new one comes well before.
@schemathesis.auth(refresh_interval=600).skip_for(path=TOKEN_ENDPOINT)
class Bearer:
    def get(self, case, context):
        answer = requests.post(
            API + TOKEN_ENDPOINT,
            auth=(CLIENT_ID, CLIENT_SECRET),
            data={"grant_type": "client_credentials"},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()["access_token"]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


# The token endpoint is called by a client that there is, so that more than refusals is seen.
@schemathesis.auth().apply_to(path=TOKEN_ENDPOINT)
class Basic:
    def get(self, case, context):
        return requests.auth._basic_auth_str(CLIENT_ID, CLIENT_SECRET)

    def set(self, case, data, context):
        case.headers["Authorization"] = data


@schemathesis.hook
def before_call(context, case, kwargs):
    know_what_there_is(case)
    spare_own_client(case)
    know_the_revision(case)
    ask_anew(case)


calls = itertools.count()
LISTS = {
    "assessment": ["/v1/assessments?limit=200", "/v1/assessments?limit=200&status=withdrawn"],
    "client": ["/v1/clients?limit=200"],
    "gap_analysis": ["/v1/gap-analyses?limit=200"],
    "model": ["/v1/models?limit=200"],
    "next_step": ["/v1/next-steps?limit=200"],
    "perspective": ["/v1/perspectives?limit=200"],
}
there_is = {"version": [1], "code": ["not_found"], "language": ["cy", "en-GB-x-easyread"]}


def know_what_there_is(case):
    """A random id is of nothing. Three times out of four it is made that of something; links have ids of their own."""
    if case.meta is None or case.meta.phase.name == TestPhase.STATEFUL or case.meta.is_negative_at(ParameterLocation.PATH):
        return
    call = next(calls)
    for name in case.path_parameters or {}:
        if name in LISTS and (call % 20 == 0 or name not in there_is):
            pages = [requests.get(API + path, headers=authorization(case), timeout=10).json() for path in LISTS[name]]
            things = [thing for page in pages for thing in page.get("data", [])]
            there_is[name] = [thing.get("id") or thing.get("client_id") for thing in things]
        if call % 4 != 0 and there_is.get(name):
            found = there_is[name][call % len(there_is[name])]
            # Other cases may share these parameters.
            case.path_parameters = {**case.path_parameters, name: found}


def authorization(case):
    return {name: value for name, value in (case.headers or {}).items() if name == "Authorization"}


def spare_own_client(case):
    """Revoking and rotating are tried on every other client; the fuzz's own is spared, or it would be locked out."""
    parameters = case.path_parameters or {}
    if str(parameters.get("client")).lower() == CLIENT_ID and case.method.upper() != "GET":
        case.path_parameters = {**parameters, "client": SPARE_CLIENT}


def know_the_revision(case):
    """A random If-Match is stale. Seven times out of eight it is made the resource's own, so that the write is done."""
    given = (case.headers or {}).get("If-Match")
    is_wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER)
    if given is None or is_wrong or next(calls) % 8 == 0:
        return
    # /v1/things/{thing}/and/so/on is about /v1/things/{thing}.
    path = re.sub(r"(\{[^}]*\}).*", r"\1", case.operation.path)
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    etag = requests.get(API + path, headers=authorization(case), timeout=10).headers.get("ETag")
    if etag is not None:
        # Other cases may share these headers.
        case.headers = type(case.headers)({**case.headers, "If-Match": etag})


def ask_anew(case):
    """A key that was used before is answered as it was then, whatever If-Match says now: without one, there is none."""
    is_patch = case.method.upper() == "PATCH" or case.operation.path.endswith("/translations/{language}")
    if is_patch and "If-Match" not in (case.headers or {}) and "Idempotency-Key" in case.headers:
        case.headers = type(case.headers)({name: value for name, value in case.headers.items() if name != "Idempotency-Key"})


# Why a request that meets its schema may be refused all the same: by the code of the problem or of the fault.
UNFORESEEABLE = {
    "precondition_failed": "which revision a resource has is not in its schema",
    "invalid_cursor": "only the service makes cursors",
    "idempotency_key_reused": "the fuzz has used this key for another request",
    "erased": "the fuzz has erased what this key's answer was about",
    "unknown_reference": "what a body or a query refers to by id, slug or version has to be there",
    "not_submitted": "the assessments to analyse have to be submitted",
    "mixed_model_versions": "and to share a model version",
    "no_inputs": "and to be there at all",
    "duplicate": "nothing is named twice",
    "incomplete": "which elements have to be rated is in the model, and in the form's own schema",
}
# The same for single faults, by code and pointer.
FAULTS = {
    "assessments_or_select": ("", "generated code knows no such either-or, so that the schema does not say it"),
    "unknown_value": (r"/scopes/\d+", "nobody gives away a scope that they lack"),
    "too_many": ("(/(external_ids|gap_analysis))?", "the name in the URL is one of the 20; a model has at most 50 languages"),
    "too_large": ("", "and together they are at most so long"),
    "unknown_key": ("/(levels|themes|elements|guide)/.*", "which keys there are to translate is in the model"),
    "required": ("/(title|levels|themes|elements|safety|guide).*", "a translation of nothing but spaces is none"),
    "contradiction": (r"/external_ids/\d+|/(parties|relationships)/\d+/.*", "the name in the URL is one of them; what is new is not retired"),
    "invalid": ("/gap_analysis", "only a picture shows a gap analysis"),
    "pattern": ("/consent/language", "not everything that looks like a language tag is one"),
    "minimum": ("/closes_at", "no schema knows what time it is"),
    "unknown_element": (r"/(ratings/)?.*", "which elements there are is in the model"),
    "not_applicable_with_level": (".*/not_applicable", "one field rules out another, in what is stored as well"),
    "reason_without_not_applicable": (".*/reason", "one field asks for another, in what is stored as well"),
    "identifies_a_patient": (".*/system", "no pattern tells every way to write the NHS number's name"),
    "not_a_priority": ("/element", "which elements are priorities is in the gap analysis"),
    "not_above": ("/next_level", "one field rules out another"),
    "immutable": ("/(model|model_version|perspective)", "what a draft rates stays what it is"),
}


def is_unforeseeable(fault):
    pattern, _ = FAULTS.get(fault.get("code"), (None, None))
    return fault.get("code") in UNFORESEEABLE or pattern is not None and re.fullmatch(pattern, fault["pointer"])


@schemathesis.check
def valid_data_is_accepted(ctx, response, case):
    """positive_data_acceptance, but for what no schema can foresee."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    code = problem.get("code") if isinstance(problem, dict) else None
    if code in UNFORESEEABLE:
        return None
    if code == "invalid_parameter" and all(map(is_unforeseeable, problem.get("errors", [{}]))):
        return None
    # Where the request has no body, it is the draft that lacks what publishing asks for.
    if code == "invalid" and (not case.operation.body or all(map(is_unforeseeable, problem.get("errors", [{}])))):
        return None
    return positive_data_acceptance(ctx, response, case)
