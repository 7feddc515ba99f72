"""The README's quick start, written against the client that openapi-python-client generates from the OpenAPI document."""

import os
from base64 import b64encode
from typing import TypeVar

from meaningful_connections_api_client import AuthenticatedClient
from meaningful_connections_api_client.api.access import create_token
from meaningful_connections_api_client.api.assessments import create_assessment, patch_assessment, submit_assessment
from meaningful_connections_api_client.api.gap_analyses import create_gap_analysis, get_gap_analysis
from meaningful_connections_api_client.api.models import get_model_version
from meaningful_connections_api_client.models import (
    Assessment,
    CreateAssessment,
    CreateAssessmentRatings,
    CreateGapAnalysis,
    GapAnalysis,
    Level,
    Model,
    PatchAssessment,
    PatchAssessmentRatingsType0,
    PatchRating,
    Problem,
    RatingInput,
    Token,
    TokenRequest,
    WithheldReading,
)
from meaningful_connections_api_client.types import Unset

Expected = TypeVar("Expected")


def is_a(kind: type[Expected], answer: object) -> Expected:
    """The answer, which is of this kind."""
    assert isinstance(answer, kind), answer
    return answer


url = os.environ["API"]
basic = b64encode(f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}".encode()).decode()
client = AuthenticatedClient(base_url=url, token=basic, prefix="Basic")
token = is_a(Token, create_token.sync(client=client, body=TokenRequest(grant_type="client_credentials")))
api = AuthenticatedClient(base_url=url, token=token.access_token)


def rated(current: Level, desired: Level) -> CreateAssessmentRatings:
    """Everything in the Meaningful Connections Model, rated alike."""
    model = is_a(Model, get_model_version.sync("meaningful-connections", 1, client=api))
    elements = [element.key for theme in model.themes for element in theme.elements]
    keys = elements + [consideration.key for consideration in model.safety.considerations]
    assert len(keys) == 34
    ratings = CreateAssessmentRatings()
    ratings.additional_properties = {key: RatingInput(current=current, desired=desired) for key in keys}
    return ratings


def created(perspective: str) -> Assessment:
    body = CreateAssessment(
        model="meaningful-connections", perspective=perspective, ratings=rated(Level.MATURING, Level.EMBEDDED)
    )
    answer = create_assessment.sync_detailed(client=api, body=body)
    assessment = is_a(Assessment, answer.parsed)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/assessments/{assessment.id}")
    return assessment


def submitted(assessment: Assessment) -> Assessment:
    sealed = is_a(Assessment, submit_assessment.sync(assessment.id, client=api))
    assert sealed.version == 1 and not isinstance(sealed.digest, Unset)
    return sealed


# A service user answers. Two ratings are saved by themselves, as a form does; then the assessment is submitted, and sealed.
service_user = created("service_user")
for etag, key, level in [('"1"', "feelings.heard", Level.FORMING), ('"2"', "tools.safety", Level.EARLY_STAGES)]:
    change = PatchAssessmentRatingsType0()
    change.additional_properties = {key: PatchRating(current=level)}
    patch = PatchAssessment(ratings=change)
    is_a(Assessment, patch_assessment.sync(service_user.id, client=api, body=patch, if_match=etag))
submitted(service_user)

# The team answers for itself.
team = submitted(created("team"))

# What each sees and the other does not: the gap analysis, in JSON and as a report that a team can read aloud.
request = CreateGapAnalysis(title="Our first look", assessments=[service_user.id, team.id])
gap = is_a(GapAnalysis, create_gap_analysis.sync(client=api, body=request))
assert not isinstance(gap.id, Unset)
analysis = is_a(GapAnalysis, get_gap_analysis.sync(gap.id, client=api))
found = [(one.element, one.higher, one.lower, one.blind_spot) for one in analysis.perception_gaps]
assert found == [
    ("tools.safety", "team", "service_user", True),
    ("feelings.heard", "team", "service_user", True),
], found
heard = next(reading for reading in analysis.elements if reading.element == "feelings.heard")
# Where too few answered, that is said in place of a reading.
assert not isinstance(heard.all_, WithheldReading)
assert not isinstance(heard.all_.gap, Unset) and heard.all_.gap.counts["2"] == 1
# The generated code reads JSON alone; the client that it made reads the rest.
report = api.get_httpx_client().get(f"/v1/gap-analyses/{gap.id}", params={"format": "markdown"})
assert report.text.startswith("# Our first look")

# What goes wrong is typed as well.
assert is_a(Problem, submit_assessment.sync(team.id, client=api)).code == "invalid_transition"
print("the quick start in Python: 2 blind spots, as it should")
