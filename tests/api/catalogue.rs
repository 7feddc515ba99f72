//! The catalogue of the database: what makes it possible to spread the organisations over several machines (Citus, shards),
//! and that both databases are the same one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{Bool, Integer, Nullable, Text},
};
use meaningful_connections::{
    domain::moment::Moment,
    store::{db::Db, fork::Place},
};
use tempfile::TempDir;

use crate::app::{Database, TestApp, connect};

/// Tables whose keys do not begin with `organisation_id`, and why.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("organisations", "its id is the organisation"),
    (
        "__diesel_schema_migrations",
        "Diesel's own: the steps of the schema, the same for all organisations",
    ),
];

/// A part of a key, of an index or of a table.
#[derive(Debug, Clone, QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    relation: String,
    /// The key's or the index's; the column's own where it is a table's.
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    column: Option<String>,
    #[diesel(sql_type = Integer)]
    place: i32,
    /// Whether the key is primary or unique, the index partial, the column nullable.
    #[diesel(sql_type = Bool)]
    is: bool,
}

/// Keys or indexes: table and name, and the columns in their order.
type Keys = BTreeMap<(String, String), Vec<String>>;

fn keys(mut columns: Vec<Part>) -> Keys {
    columns.sort_by_key(|column| column.place);
    let mut keys = Keys::new();
    for column in columns {
        let name = column.column.unwrap_or_else(|| "an expression".into());
        keys.entry((column.relation, column.name)).or_default().push(name);
    }
    keys
}

/// What a database says of itself.
struct Catalogue {
    /// Table and column, and whether it may be null.
    columns: BTreeMap<(String, String), bool>,
    /// Primary and unique keys.
    keys: Keys,
    foreign_keys: Keys,
    /// All indexes that are not partial, those of keys among them.
    indexes: Keys,
    partial_indexes: Keys,
    /// Sequences, and columns that are numbered by the database.
    sequences: Vec<String>,
}

const SQLITE_TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

fn sqlite(path: &str) -> Catalogue {
    let mut conn = SqliteConnection::establish(path).expect("the database");
    let mut load = |sql: &str| -> Vec<Part> { sql_query(sql).load(&mut conn).expect(sql) };
    let index_columns = |which: &str, is: &str| {
        format!(
            "SELECT t.name AS relation, i.name AS name, c.name AS \"column\", c.seqno AS place, {is} AS \"is\" \
             FROM ({SQLITE_TABLES}) t, pragma_index_list(t.name) i, pragma_index_info(i.name) c WHERE {which}"
        )
    };
    let columns = load(&format!(
        "SELECT t.name AS relation, c.name AS name, c.type AS \"column\", c.pk AS place, \
         c.\"notnull\" = 0 AND c.pk = 0 AS \"is\" FROM ({SQLITE_TABLES}) t, pragma_table_info(t.name) c"
    ));
    let foreign_keys = load(&format!(
        "SELECT t.name AS relation, CAST(f.id AS TEXT) AS name, f.\"from\" AS \"column\", f.seq AS place, 0 AS \"is\" \
         FROM ({SQLITE_TABLES}) t, pragma_foreign_key_list(t.name) f"
    ));
    let counted = load(
        "SELECT name AS relation, name, NULL AS \"column\", 0 AS place, 0 AS \"is\" FROM sqlite_master \
         WHERE sql LIKE '%AUTOINCREMENT%' OR name = 'sqlite_sequence'",
    );
    let unique = load(&index_columns("i.\"unique\" = 1", "1"));
    let whole = load(&index_columns("i.partial = 0", "0"));
    let partial = load(&index_columns("i.partial = 1", "1"));
    // A primary key of one integer column is the number that SQLite gives a row.
    let numbered = columns
        .iter()
        .filter(|column| column.place == 1 && column.column.as_deref() == Some("INTEGER"))
        .filter(|column| {
            let is_second = |other: &Part| other.relation == column.relation && other.place == 2;
            !columns.iter().any(is_second)
        })
        .map(|column| format!("{}.{}", column.relation, column.name));
    let sequences = counted.into_iter().map(|found| found.name).chain(numbered).collect();
    Catalogue {
        columns: columns
            .into_iter()
            .map(|column| ((column.relation, column.name), column.is))
            .collect(),
        keys: keys(unique),
        foreign_keys: keys(foreign_keys),
        indexes: keys(whole),
        partial_indexes: keys(partial),
        sequences,
    }
}

fn postgres(url: &str) -> Catalogue {
    let mut conn = connect(url);
    let mut load = |sql: &str| -> Vec<Part> { sql_query(sql).load(&mut conn).expect(sql) };
    let constraint = |kinds: &str| {
        format!(
            "SELECT r.relname::text AS relation, c.conname::text AS name, a.attname::text AS \"column\", \
             k.place::int AS place, false AS \"is\" FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid \
             CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY k (number, place) \
             JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.number \
             WHERE r.relnamespace = 'public'::regnamespace AND c.contype IN ({kinds})"
        )
    };
    let index = |which: &str| {
        format!(
            "SELECT r.relname::text AS relation, n.relname::text AS name, a.attname::text AS \"column\", \
             k.place::int AS place, false AS \"is\" FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid \
             JOIN pg_class n ON n.oid = i.indexrelid \
             CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place) \
             LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.number \
             WHERE r.relnamespace = 'public'::regnamespace AND {which}"
        )
    };
    let columns = load(
        "SELECT table_name::text AS relation, column_name::text AS name, NULL::text AS \"column\", 0 AS place, \
         is_nullable = 'YES' AS \"is\" FROM information_schema.columns WHERE table_schema = 'public'",
    );
    let sequences = load(
        "SELECT relname::text AS relation, relname::text AS name, NULL::text AS \"column\", 0 AS place, false AS \"is\" \
         FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace \
         UNION ALL SELECT table_name::text, column_name::text, NULL, 0, false FROM information_schema.columns \
         WHERE table_schema = 'public' AND (is_identity = 'YES' OR column_default LIKE 'nextval%')",
    );
    let mut unique = keys(load(&constraint("'p', 'u'")));
    unique.extend(keys(load(&index("i.indisunique"))));
    Catalogue {
        columns: columns
            .into_iter()
            .map(|column| ((column.relation, column.name), column.is))
            .collect(),
        keys: unique,
        foreign_keys: keys(load(&constraint("'f'"))),
        indexes: keys(load(&index("i.indpred IS NULL"))),
        partial_indexes: keys(load(&index("i.indpred IS NOT NULL"))),
        sequences: sequences
            .into_iter()
            .map(|found| format!("{}.{}", found.relation, found.name))
            .collect(),
    }
}

fn catalogue(database: &Database) -> Catalogue {
    match database {
        Database::Sqlite(_) => sqlite(database.url().trim_start_matches("sqlite:")),
        Database::Postgres(_) => postgres(&database.url()),
    }
}

fn is_excepted(table: &str) -> bool {
    EXCEPTIONS.iter().any(|(excepted, _)| *excepted == table)
}

const NONE: Vec<String> = Vec::new();

/// The keys for which something does not hold, to be read by whoever broke it.
fn wrong(keys: &Keys, holds: impl Fn(&str, &[String]) -> bool) -> Vec<String> {
    keys.iter()
        .filter(|((table, _), columns)| !holds(table, columns))
        .map(|((table, name), columns)| format!("{table} {name} ({})", columns.join(", ")))
        .collect()
}

#[actix_web::test]
async fn every_primary_unique_and_foreign_key_begins_with_the_organisation() {
    let app = TestApp::new().await;
    let catalogue = catalogue(&app.database);
    let begins = |table: &str, columns: &[String]| {
        is_excepted(table) || columns.first().is_some_and(|first| first == "organisation_id")
    };
    assert_eq!(wrong(&catalogue.keys, begins), NONE);
    assert_eq!(wrong(&catalogue.foreign_keys, begins), NONE);
    let tables: BTreeSet<&String> = catalogue.columns.keys().map(|(table, _)| table).collect();
    let keyed: BTreeSet<&String> = catalogue.keys.keys().map(|(table, _)| table).collect();
    assert_eq!(tables, keyed, "every table has a key");
    for table in &tables {
        let has_organisation = catalogue.columns.get(&((*table).clone(), "organisation_id".to_owned()));
        assert!(is_excepted(table) || has_organisation == Some(&false), "{table}");
    }
    assert!(tables.len() > 12 && catalogue.foreign_keys.len() > 8, "{tables:?}");
    for (excepted, _) in EXCEPTIONS {
        assert!(
            tables.iter().any(|table| *table == excepted),
            "{excepted} is no exception any more"
        );
    }
}

#[actix_web::test]
async fn no_number_is_given_by_the_database() {
    let app = TestApp::new().await;
    assert_eq!(catalogue(&app.database).sequences, NONE);
}

#[actix_web::test]
async fn every_foreign_key_has_an_index_that_serves_it() {
    let app = TestApp::new().await;
    let catalogue = catalogue(&app.database);
    let served = |table: &str, columns: &[String]| {
        catalogue
            .indexes
            .iter()
            .any(|((indexed, _), index)| indexed == table && index.starts_with(columns))
    };
    assert_eq!(wrong(&catalogue.foreign_keys, served), NONE);
}

#[actix_web::test]
async fn no_index_is_the_beginning_of_another() {
    let app = TestApp::new().await;
    let catalogue = catalogue(&app.database);
    for indexes in [&catalogue.indexes, &catalogue.partial_indexes] {
        let names: Vec<_> = indexes.keys().cloned().collect();
        for (table, name) in &names {
            let own = &indexes[&(table.clone(), name.clone())];
            let other = indexes
                .iter()
                .find(|((other, of), columns)| other == table && of != name && columns.starts_with(own));
            assert_eq!(
                other.map(|((_, of), _)| of),
                None,
                "{table} {name} ({})",
                own.join(", ")
            );
        }
    }
    assert!(catalogue.indexes.len() > 15, "{:?}", catalogue.indexes);
}

#[actix_web::test]
async fn both_databases_have_the_same_tables_columns_keys_and_indexes() {
    let app = TestApp::new().await;
    let own = catalogue(&app.database);
    // The other side of it: on SQLite, where this suite runs as well, there is nothing to compare with.
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("other.sqlite").display().to_string();
    let place = Place::Sqlite(path.clone());
    let db = Db::open(&place, std::sync::Arc::new(|| Moment::from(Utc::now()))).expect("threads");
    db.migrate().expect("migrated");
    let other = sqlite(&path);
    let ours = |columns: &BTreeMap<(String, String), bool>| -> BTreeMap<(String, String), bool> {
        let ours = columns.iter().filter(|((table, _), _)| !table.starts_with("__"));
        ours.map(|(column, nullable)| (column.clone(), *nullable)).collect()
    };
    assert_eq!(ours(&own.columns), ours(&other.columns));
    // They name keys differently.
    let nameless = |keys: &Keys| -> BTreeSet<(String, Vec<String>)> {
        let ours = keys.iter().filter(|((table, _), _)| !table.starts_with("__"));
        ours.map(|((table, _), columns)| (table.clone(), columns.clone()))
            .collect()
    };
    assert_eq!(nameless(&own.keys), nameless(&other.keys));
    assert_eq!(nameless(&own.foreign_keys), nameless(&other.foreign_keys));
    assert_eq!(nameless(&own.indexes), nameless(&other.indexes));
    assert_eq!(nameless(&own.partial_indexes), nameless(&other.partial_indexes));
}
