// The README's quick start, written against types generated from the OpenAPI document: it compiles, or the document lies.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Ratings = Record<string, components["schemas"]["RatingInput"]>;

const { API, CLIENT_ID, CLIENT_SECRET } = process.env;
assert(API !== undefined && CLIENT_ID !== undefined && CLIENT_SECRET !== undefined);

const anybody = createClient<paths>({ baseUrl: API });
const { data: token } = await anybody.POST("/v1/oauth/token", {
  body: { grant_type: "client_credentials" },
  headers: {
    Authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}`,
    "Content-Type": "application/x-www-form-urlencoded",
  },
  bodySerializer: (form) => new URLSearchParams(Object.entries(form)),
});
assert(token !== undefined);
assert.equal(token.token_type, "Bearer");
const api = createClient<paths>({ baseUrl: API, headers: { Authorization: `Bearer ${token.access_token}` } });

// Everything in the Meaningful Connections Model, rated alike.
async function rated(current: components["schemas"]["Level"], desired: components["schemas"]["Level"]): Promise<Ratings> {
  const { data: model } = await api.GET("/v1/models/{model}/versions/{version}", {
    params: { path: { model: "meaningful-connections", version: 1 } },
  });
  assert(model !== undefined);
  const keys = [...model.themes.flatMap((theme) => theme.elements), ...model.safety.considerations].map(({ key }) => key);
  assert.equal(keys.length, 34);
  return Object.fromEntries(keys.map((key) => [key, { current, desired }]));
}

async function created(perspective: string): Promise<{ id: string; etag: string }> {
  const { data, response } = await api.POST("/v1/assessments", {
    body: { model: "meaningful-connections", perspective, ratings: await rated("maturing", "embedded") },
  });
  assert(data !== undefined);
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("Location"), `/v1/assessments/${data.id}`);
  return { id: data.id, etag: response.headers.get("ETag") ?? "" };
}

async function submitted(assessment: string): Promise<void> {
  const { data } = await api.POST("/v1/assessments/{assessment}/submit", { params: { path: { assessment } } });
  assert.equal(data?.version, 1);
  assert.match(data.digest ?? "", /^sha256:/);
}

// A service user answers. Two ratings are saved by themselves, as a form does; then the assessment is submitted, and sealed.
let { id: serviceUser, etag } = await created("service_user");
for (const ratings of [
  { "feelings.heard": { current: "forming" } },
  { "tools.safety": { current: "early_stages" } },
] satisfies components["schemas"]["PatchAssessment"]["ratings"][]) {
  const { data, response } = await api.PATCH("/v1/assessments/{assessment}", {
    params: { path: { assessment: serviceUser }, header: { "If-Match": etag } },
    body: { ratings },
    headers: { "Content-Type": "application/merge-patch+json" },
  });
  assert.equal(data?.status, "draft");
  etag = response.headers.get("ETag") ?? "";
}
await submitted(serviceUser);

// The team answers for itself.
const { id: team } = await created("team");
await submitted(team);

// What each sees and the other does not: the gap analysis, in JSON and as a report that a team can read aloud.
const { data: gap } = await api.POST("/v1/gap-analyses", {
  body: { title: "Our first look", assessments: [serviceUser, team] },
});
assert(gap?.id !== undefined);
const path = { gap_analysis: gap.id };
const { data: analysis } = await api.GET("/v1/gap-analyses/{gap_analysis}", { params: { path } });
// It might be text: CSV, SVG or Markdown.
assert(typeof analysis === "object");
const found = analysis.perception_gaps.map(({ element, higher, lower, blind_spot }) => [element, higher, lower, blind_spot]);
assert.deepEqual(found, [
  ["tools.safety", "team", "service_user", true],
  ["feelings.heard", "team", "service_user", true],
]);
const heard = analysis.elements.find(({ element }) => element === "feelings.heard")?.all;
// Where too few answered, that is said in place of a reading.
assert(heard !== undefined && !("withheld" in heard));
assert.equal(heard.gap?.counts["2"], 1);
const { data: report } = await api.GET("/v1/gap-analyses/{gap_analysis}", {
  params: { path, query: { format: "markdown" } },
  parseAs: "text",
});
assert(typeof report === "string" && report.startsWith("# Our first look"));

// What goes wrong is typed as well.
const { error } = await api.POST("/v1/assessments/{assessment}/submit", { params: { path: { assessment: team } } });
assert.equal(error?.code, "invalid_transition");
console.log("the quick start in TypeScript: 2 blind spots, as it should");
