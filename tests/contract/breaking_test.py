"""breaking.py finds what breaks, and lets pass what does not: tried on the real document, changed in one place."""

import copy
import json
import unittest

import breaking

DOCUMENT = json.loads((breaking.ROOT / breaking.DOCUMENT).read_text())
ASSESSMENTS = "/v1/assessments"


class Breaking(unittest.TestCase):
    def changed(self, change):
        """What is found, once this was done to the document."""
        document = copy.deepcopy(DOCUMENT)
        change(document, document["components"]["schemas"], document["paths"])
        return list(breaking.broken(DOCUMENT, document))

    def assert_breaks(self, change, words):
        found = self.changed(change)
        self.assertTrue(found, "nothing was found")
        self.assertTrue(any(words in fault for fault in found), found)

    def assert_passes(self, change):
        self.assertEqual(self.changed(change), [])

    def test_the_document_does_not_break_itself(self):
        self.assert_passes(lambda document, schemas, paths: None)

    def test_a_field_that_answers_lost(self):
        self.assert_breaks(lambda d, s, p: s["Assessment"]["properties"].pop("model_version"), "/model_version: removed")

    def test_a_field_that_answers_have_no_longer_always(self):
        self.assert_breaks(lambda d, s, p: s["Assessment"]["required"].remove("created_at"), "/created_at: no longer always there")

    def test_a_deep_field_that_answers_lost(self):
        self.assert_breaks(lambda d, s, p: s["PerceptionGap"]["properties"].pop("overlap"), "/overlap: removed")

    def test_a_field_that_answers_have_with_another_type(self):
        self.assert_breaks(lambda d, s, p: s["PerceptionGap"]["properties"]["difference"].update(type="string"), "/difference: type")

    def test_a_word_that_is_new_in_answers(self):
        self.assert_breaks(lambda d, s, p: s["Movement"]["enum"].append("sideways"), "enum")

    def test_a_word_that_is_new_in_answers_of_which_more_were_announced(self):
        self.assert_passes(lambda d, s, p: s["ReasonCode"]["enum"].append("sideways"))
        self.assert_breaks(lambda d, s, p: s["ReasonCode"].update(type="integer"), "/code: type")

    def test_a_field_that_requests_now_require(self):
        self.assert_breaks(lambda d, s, p: s["CreateAssessment"]["required"].append("respondent_ref"), "/respondent_ref: now required")

    def test_a_field_that_requests_now_have_and_require(self):
        def change(document, schemas, paths):
            schemas["CreateAssessment"]["properties"]["colour"] = {"type": "string"}
            schemas["CreateAssessment"]["required"].append("colour")

        self.assert_breaks(change, "/colour: now required")

    def test_a_field_that_requests_no_longer_take(self):
        self.assert_breaks(lambda d, s, p: s["CreateAssessment"]["properties"].pop("external_ids"), "/external_ids: removed")

    def test_an_enum_that_was_narrowed(self):
        self.assert_breaks(lambda d, s, p: s["Level"]["enum"].remove("forming"), "enum")

    def test_a_limit_that_was_narrowed(self):
        self.assert_breaks(lambda d, s, p: s["RatingInput"]["properties"]["note"].update(maxLength=100), "/note: maxLength")

    def test_a_limit_that_is_new(self):
        self.assert_breaks(lambda d, s, p: s["RatingInput"].update(maxProperties=1), "maxProperties")

    def test_a_null_that_requests_no_longer_take(self):
        self.assert_breaks(
            lambda d, s, p: s["PatchAssessment"]["properties"]["respondent_ref"].update(type="string"), "/respondent_ref: type"
        )

    def test_an_operation_that_was_removed(self):
        self.assert_breaks(lambda d, s, p: p[ASSESSMENTS].pop("post"), f"POST {ASSESSMENTS}: removed")

    def test_a_parameter_that_was_removed(self):
        self.assert_breaks(lambda d, s, p: p[ASSESSMENTS]["get"]["parameters"].pop(0), "parameter status: removed")

    def test_a_parameter_that_is_new_and_required(self):
        parameter = {"in": "query", "name": "colour", "required": True, "schema": {"type": "string"}}
        self.assert_breaks(lambda d, s, p: p[ASSESSMENTS]["get"]["parameters"].append(parameter), "colour: new, and required")

    def test_a_scope_that_changed(self):
        self.assert_breaks(lambda d, s, p: p[ASSESSMENTS]["get"].update(security=[{"bearer": ["models:read"]}]), "security")

    def test_an_answer_that_was_removed(self):
        self.assert_breaks(lambda d, s, p: p[ASSESSMENTS]["post"]["responses"].pop("201"), "201: removed")

    def test_a_header_that_answers_lost(self):
        self.assert_breaks(lambda d, s, p: p[ASSESSMENTS]["post"]["responses"]["201"]["headers"].pop("Location"), "header Location")

    def test_a_media_type_that_answers_lost(self):
        analysis = "/v1/gap-analyses/{gap_analysis}"
        self.assert_breaks(lambda d, s, p: p[analysis]["get"]["responses"]["200"]["content"].pop("text/csv"), "text/csv is removed")

    def test_what_is_added_breaks_nothing(self):
        def change(document, schemas, paths):
            schemas["Assessment"]["properties"]["colour"] = {"type": "string"}
            schemas["Assessment"]["required"].append("colour")
            schemas["CreateAssessment"]["properties"]["colour"] = {"type": "string"}
            schemas["RatingInput"]["properties"]["note"]["maxLength"] = 5000
            paths["/v1/colours"] = copy.deepcopy(paths[ASSESSMENTS])
            paths[ASSESSMENTS]["get"]["parameters"].append({"in": "query", "name": "colour", "schema": {"type": "string"}})
            paths[ASSESSMENTS]["get"]["summary"] = "List them"

        self.assert_passes(change)


if __name__ == "__main__":
    unittest.main()
