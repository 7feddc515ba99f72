//! What the database itself holds, asked past the service: against what was acknowledged, and against its own rules.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};

use crate::{
    ledger::{Kind, Thing},
    writer::Writer,
};

/// A connection of the drill's own.
pub enum Evidence {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A line of an answer.
#[derive(QueryableByName, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fact {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// What is missing, too much, or without its counterpart.
#[derive(Debug, Default)]
pub struct Findings {
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
    pub orphans: Vec<String>,
}

const KINDS: [Kind; 3] = [Kind::Assessment, Kind::Model, Kind::GapAnalysis];

/// What must never be in a database, whoever wrote to it. Each selects the offenders' ids.
const RULES: [(&str, &str); 12] = [
    (
        "an assessment whose newest version is missing",
        "SELECT {t.id} FROM assessments t WHERE version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sealed_versions s \
         WHERE s.organisation_id = t.organisation_id AND s.resource_id = t.id AND s.version = t.version)",
    ),
    (
        "a model whose newest version is missing",
        "SELECT {t.id} FROM models t WHERE version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sealed_versions s \
         WHERE s.organisation_id = t.organisation_id AND s.resource_id = t.id AND s.version = t.version)",
    ),
    (
        "a perspective or gap analysis whose newest version is missing",
        "SELECT {t.id} FROM (SELECT organisation_id, id, version FROM perspectives \
         UNION ALL SELECT organisation_id, id, version FROM gap_analyses) t WHERE NOT EXISTS (SELECT 1 FROM \
         sealed_versions s WHERE s.organisation_id = t.organisation_id AND s.resource_id = t.id AND s.version = t.version)",
    ),
    (
        "a version without its row",
        "SELECT {s.resource_id} FROM sealed_versions s WHERE NOT EXISTS (SELECT 1 FROM (\
         SELECT organisation_id, id, version, 'assessment' AS kind FROM assessments \
         UNION ALL SELECT organisation_id, id, version, 'model' FROM models \
         UNION ALL SELECT organisation_id, id, version, 'perspective' FROM perspectives \
         UNION ALL SELECT organisation_id, id, last_version, 'gap_analysis' FROM gap_analyses) t \
         WHERE t.organisation_id = s.organisation_id AND t.id = s.resource_id AND t.kind = s.kind AND s.version <= t.version)",
    ),
    (
        "a version of an assessment, model or perspective whose predecessor is missing",
        "SELECT {s.resource_id} FROM sealed_versions s WHERE s.kind <> 'gap_analysis' AND s.version > 1 AND NOT EXISTS \
         (SELECT 1 FROM sealed_versions p WHERE p.organisation_id = s.organisation_id \
         AND p.resource_id = s.resource_id AND p.version = s.version - 1)",
    ),
    (
        "a row with neither a draft nor a version",
        "SELECT {t.id} FROM (SELECT id, version, draft FROM assessments UNION ALL SELECT id, version, draft FROM models) t \
         WHERE version IS NULL AND draft IS NULL",
    ),
    (
        "a draft without its levels, or levels without their draft",
        "SELECT {t.id} FROM assessments t WHERE (draft IS NULL) <> (draft_levels IS NULL)",
    ),
    (
        "a version that no event, or more than one, tells of",
        "SELECT {s.resource_id} FROM sealed_versions s WHERE s.organisation_id IN (SELECT organisation_id FROM clients) \
         AND (SELECT count(*) FROM events e WHERE e.organisation_id = s.organisation_id AND e.resource_id = s.resource_id \
         AND e.version = s.version AND e.what IN ('submitted', 'published', 'sealed')) <> 1",
    ),
    (
        "a row that no event, or more than one, tells of",
        "SELECT {t.id} FROM (SELECT organisation_id, id FROM assessments UNION ALL SELECT organisation_id, id FROM models) t \
         WHERE t.organisation_id IN (SELECT organisation_id FROM clients) AND (SELECT count(*) FROM events e \
         WHERE e.organisation_id = t.organisation_id AND e.resource_id = t.id AND e.what = 'created') <> 1",
    ),
    (
        "an event about nothing, which was not erased either",
        "SELECT {e.resource_id} FROM events e WHERE e.kind IN ('assessment', 'model', 'perspective') AND NOT EXISTS (\
         SELECT 1 FROM (SELECT organisation_id, id FROM assessments UNION ALL SELECT organisation_id, id FROM models \
         UNION ALL SELECT organisation_id, id FROM perspectives UNION ALL SELECT organisation_id, resource_id FROM events \
         WHERE what IN ('erased', 'deleted')) t WHERE t.organisation_id = e.organisation_id AND t.id = e.resource_id)",
    ),
    (
        "a key that was claimed and never answered",
        "SELECT {k.client_id} FROM idempotency_keys k WHERE status IS NULL AND erased_at IS NULL",
    ),
    (
        "a source of a version that is missing, or a name of a row that is missing",
        "SELECT {t.id} FROM (SELECT g.organisation_id, g.gap_analysis_id AS id FROM analysis_sources g WHERE NOT EXISTS \
         (SELECT 1 FROM sealed_versions s WHERE s.organisation_id = g.organisation_id AND s.resource_id = g.gap_analysis_id \
         AND s.version = g.version) UNION ALL SELECT x.organisation_id, x.resource_id FROM external_ids x WHERE NOT EXISTS \
         (SELECT 1 FROM assessments a WHERE a.organisation_id = x.organisation_id AND a.id = x.resource_id)) t",
    ),
];

impl Evidence {
    /// Connects to what a database URL names.
    pub fn of(url: &str) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).expect("the file opens");
                conn.batch_execute("PRAGMA busy_timeout = 10000").expect("a pragma");
                Self::Sqlite(conn)
            }
            None => Self::Postgres(PgConnection::establish(url).expect("PostgreSQL answers")),
        }
    }

    /// The name of the database, for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    fn facts(&mut self, sql: &str) -> Vec<Fact> {
        match self {
            Self::Sqlite(conn) => sql_query(sql).load(conn),
            Self::Postgres(conn) => sql_query(sql).load(conn),
        }
        .unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// An id as text without hyphens.
    fn id(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("lower(hex({column}))"),
            Self::Postgres(_) => format!("replace({column}::text, '-', '')"),
        }
    }

    /// What breaks the database's own rules.
    fn offences(&mut self) -> Vec<String> {
        let mut offences = Vec::new();
        for (rule, sql) in RULES {
            let (before, rest) = sql.split_once('{').expect("a column");
            let (column, after) = rest.split_once('}').expect("a column");
            let sql = format!(
                "{before} {} AS what, '' AS detail, 0 AS number {after}",
                self.id(column)
            );
            let found = self.facts(&sql.replace("0 AS number", "CAST(0 AS bigint) AS number"));
            offences.extend(found.iter().map(|fact| format!("{rule}: {}", fact.what)));
        }
        if let Self::Sqlite(_) = self {
            let checks = [
                "SELECT integrity_check AS what FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
                "SELECT \"table\" AS what FROM pragma_foreign_key_check",
            ];
            for check in checks {
                let sql = format!("SELECT what, '' AS detail, 0 AS number FROM ({check})");
                offences.extend(
                    self.facts(&sql)
                        .into_iter()
                        .map(|fact| format!("the file: {}", fact.what)),
                );
            }
        }
        offences
    }

    /// Compares what stands here of an organisation with what its writers were told.
    pub fn against(&mut self, organisation: &str, writers: &[Writer]) -> Findings {
        let mut findings = Findings {
            orphans: self.offences(),
            ..Findings::default()
        };
        let own = format!("{} = '{}'", self.id("organisation_id"), organisation.replace('-', ""));
        let things: Vec<&Thing> = writers.iter().flat_map(|writer| &writer.things).collect();
        for kind in KINDS {
            let id = self.id("id");
            let sql = format!(
                "SELECT {id} AS what, '' AS detail, revision AS number FROM {} WHERE {own}",
                kind.table()
            );
            let told = things.iter().filter(|thing| thing.kind == kind && !thing.gone);
            let told = told.map(|thing| fact(&thing.id, "", thing.revision()));
            findings.compare(
                &format!("a row of {} and its revision", kind.table()),
                told,
                self.facts(&sql),
            );
        }
        let id = self.id("resource_id");
        let sql = format!(
            "SELECT {id} AS what, kind || ' ' || digest AS detail, CAST(version AS bigint) AS number \
             FROM sealed_versions WHERE {own}"
        );
        let told = things.iter().filter(|thing| !thing.gone).flat_map(|thing| {
            thing.sealed.iter().map(|(version, shown)| {
                let digest = shown["digest"].as_str().unwrap_or_default();
                fact(&thing.id, &format!("{} {digest}", thing.kind.word()), *version)
            })
        });
        findings.compare("a version and its digest", told, self.facts(&sql));
        let sql = format!(
            "SELECT {id} AS what, kind || ' ' || what AS detail, CAST(coalesce(version, 0) AS bigint) AS number \
             FROM events WHERE {own}"
        );
        let told = things.iter().flat_map(|thing| {
            let events = thing.events.iter();
            events.map(|(what, version)| {
                fact(
                    &thing.id,
                    &format!("{} {what}", thing.kind.word()),
                    version.unwrap_or(0),
                )
            })
        });
        findings.compare("an event", told, self.facts(&sql));
        let sql = format!(
            "SELECT key AS what, '' AS detail, CAST(coalesce(status, 0) AS bigint) AS number \
             FROM idempotency_keys WHERE {own}"
        );
        let told = writers.iter().flat_map(|writer| &writer.keys);
        let told = told.map(|(key, status)| fact(key, "", i64::from(*status)));
        findings.compare("a key and its status", told, self.facts(&sql));
        findings
    }
}

fn fact(what: &str, detail: &str, number: i64) -> Fact {
    Fact {
        what: what.to_owned(),
        detail: detail.to_owned(),
        number,
    }
}

impl Findings {
    /// What was told and does not stand is lost; what stands and was not told, or more often, is doubled.
    fn compare(&mut self, about: &str, told: impl Iterator<Item = Fact>, stands: Vec<Fact>) {
        let mut balance: BTreeMap<Fact, i64> = BTreeMap::new();
        for fact in told {
            *balance.entry(fact).or_default() -= 1;
        }
        for fact in stands {
            *balance.entry(fact).or_default() += 1;
        }
        let lost: BTreeSet<&Fact> = balance
            .iter()
            .filter(|(_, count)| **count < 0)
            .map(|(fact, _)| fact)
            .collect();
        self.lost.extend(lost.iter().map(|fact| format!("{about}: {fact:?}")));
        let more = balance.iter().filter(|(_, count)| **count > 0);
        self.doubled.extend(more.map(|(fact, _)| format!("{about}: {fact:?}")));
    }
}
