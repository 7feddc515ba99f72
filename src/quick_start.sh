# A token, good for 15 minutes, and two shorthands.
TOKEN=$(curl -s "$API/v1/oauth/token" -u "$CLIENT" -d grant_type=client_credentials | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
api() { curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; }
id() { sed 's/^{"id":"\([^"]*\)".*/\1/'; }

# Everything in the Meaningful Connections Model, rated alike: current level $1, desired level $2.
rated() {
  api "$API/v1/models/meaningful-connections/versions/1" | grep -o '"key":"[a-z_]*\.[a-z_]*"' |
    sed "s/\"key\":\(.*\)/\1:{\"current\":\"$1\",\"desired\":\"$2\"}/" | paste -sd, -
}

# A service user answers. Two ratings are saved by themselves, as a form does; then the assessment is submitted, and sealed.
SERVICE_USER=$(api "$API/v1/assessments" -d "{\"model\":\"meaningful-connections\",\"perspective\":\"service_user\",\"ratings\":{$(rated maturing embedded)}}" | id)
api -X PATCH "$API/v1/assessments/$SERVICE_USER" -H 'If-Match: "1"' -d '{"ratings":{"feelings.heard":{"current":"forming"}}}' >/dev/null
api -X PATCH "$API/v1/assessments/$SERVICE_USER" -H 'If-Match: "2"' -d '{"ratings":{"tools.safety":{"current":"early_stages"}}}' >/dev/null
api -X POST "$API/v1/assessments/$SERVICE_USER/submit" >/dev/null

# The team answers for itself.
TEAM=$(api "$API/v1/assessments" -d "{\"model\":\"meaningful-connections\",\"perspective\":\"team\",\"ratings\":{$(rated maturing embedded)}}" | id)
api -X POST "$API/v1/assessments/$TEAM/submit" >/dev/null

# What each sees and the other does not: the gap analysis, in JSON and as a report that a team can read aloud.
GAP=$(api "$API/v1/gap-analyses" -d "{\"title\":\"Our first look\",\"assessments\":[\"$SERVICE_USER\",\"$TEAM\"]}" | id)
api "$API/v1/gap-analyses/$GAP" | grep -o '"perception_gaps":\[[^]]*\]'
api "$API/v1/gap-analyses/$GAP?format=markdown"
