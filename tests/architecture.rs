//! The house, as ARCHITECTURE.md describes it, read from the source as text.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The rooms, lowest first: each may import those before it.
const ROOMS: [&str; 5] = ["domain", "store", "service", "auth", "http"];

/// A source file.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The room it stands in: `src/{room}/…`; none for what stands in no room.
    fn room(&self) -> &str {
        let within = self.path.strip_prefix("src/").unwrap_or_default();
        within.split_once('/').map_or("", |(room, _)| room)
    }

    fn is_in(&self, rooms: &[&str]) -> bool {
        rooms.contains(&self.room())
    }

    /// Its lines without comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !line.trim_start().starts_with("//"))
    }

    /// Whether the code has this word, alone.
    fn has_word(&self, word: &str) -> bool {
        let of_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code()
            .any(|line| line.split(|c| !of_word(c)).any(|other| other == word))
    }

    fn has(&self, text: &str) -> bool {
        self.code().any(|line| line.contains(text))
    }

    /// The rooms that it imports: what follows `crate::`, be it one path or a tree of them.
    fn imports(&self) -> BTreeSet<String> {
        let code = self.code().collect::<Vec<_>>().join("\n");
        let mut imports = BTreeSet::new();
        for after in code.split("crate::").skip(1) {
            match after.strip_prefix('{') {
                None => imports.extend(first_word(after)),
                Some(tree) => imports.extend(branches(tree).iter().filter_map(|branch| first_word(branch))),
            }
        }
        imports
    }
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}

/// The branches of an import tree, up to the brace that closes it.
fn branches(tree: &str) -> Vec<String> {
    let (mut branches, mut depth) = (vec![String::new()], 0);
    for c in tree.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => branches.push(String::new()),
            c => {
                depth += match c {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                branches.last_mut().expect("a branch").push(c);
            }
        }
    }
    branches
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let path = path
                .strip_prefix(env!("CARGO_MANIFEST_DIR"))
                .expect("within the project");
            sources.push(Source {
                path: path.display().to_string(),
                text,
            });
        }
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!sources.is_empty());
    sources
}

/// The paths of the sources in which something is wrong.
fn wrong(folder: &str, is_wrong: impl Fn(&Source) -> bool) -> Vec<String> {
    let sources = sources(folder).into_iter().filter(is_wrong);
    sources.map(|source| source.path).collect()
}

const NONE: Vec<String> = Vec::new();

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let place = ROOMS.iter().position(|room| *room == source.room());
        for imported in source.imports() {
            let allowed = match (source.room(), ROOMS.iter().position(|room| *room == imported), place) {
                (_, Some(imported), Some(own)) => imported <= own,
                ("jobs", _, _) => imported != "http",
                ("", _, _) => imported != "jobs" || source.path == "src/main.rs",
                _ => false,
            };
            if !allowed {
                wrong.push(format!("{} imports {imported}", source.path));
            }
        }
        // Nor by the stairs behind the house.
        if ROOMS
            .iter()
            .chain(&["jobs"])
            .any(|room| source.has(&format!("super::{room}::")))
        {
            wrong.push(format!("{} climbs out of its room", source.path));
        }
    }
    assert_eq!(wrong, NONE);
}

#[test]
fn the_reader_of_imports_reads_trees() {
    let text =
        "use crate::{\n    domain::{id::Id, level},\n    store,\n};\n// crate::http\nfn f() -> crate::auth::Error {}\n";
    let source = Source {
        path: "src/jobs/mod.rs".into(),
        text: text.into(),
    };
    assert_eq!(
        source.imports().into_iter().collect::<Vec<_>>(),
        ["auth", "domain", "store"]
    );
}

#[test]
fn a_file_fits_a_sitting_and_a_function_a_screen() {
    let lines = |source: &Source| source.text.lines().count();
    assert_eq!(wrong("src", |source| lines(source) > 400), NONE);
    assert_eq!(wrong("tests", |source| lines(source) > 800), NONE);
    let mut long = Vec::new();
    for source in sources("src") {
        let mut open: Option<(String, String, usize)> = None;
        for (number, line) in source.text.lines().enumerate() {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            match &open {
                Some((end, name, began)) if line == end => {
                    if number - began >= 60 {
                        long.push(format!("{} {name}: {}", source.path, number - began + 1));
                    }
                    open = None;
                }
                None if line.contains("fn ")
                    && !line.trim_start().starts_with("//")
                    && !line.ends_with(';')
                    && !line.ends_with('}') =>
                {
                    let name = line.split("fn ").nth(1).and_then(first_word).unwrap_or_default();
                    open = Some((format!("{indent}}}"), name, number));
                }
                _ => {}
            }
        }
    }
    assert_eq!(long, NONE);
}

#[test]
fn only_the_store_speaks_sql() {
    let speaks = |source: &Source| {
        source.has_word("diesel")
            || ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"]
                .iter()
                .any(|sql| source.has(sql))
    };
    assert_eq!(wrong("src", |source| !source.is_in(&["store"]) && speaks(source)), NONE);
}

#[test]
fn only_the_fork_knows_which_database_it_is() {
    let is_fork = |source: &Source| source.path.starts_with("src/store/fork");
    let names = |source: &Source| {
        let types = ["PgConnection", "SqliteConnection", "Pg"]
            .iter()
            .any(|name| source.has_word(name));
        types
            || source.has("diesel::pg")
            || source.has("diesel::sqlite")
            || source.is_in(&["store"]) && source.has_word("Sqlite")
    };
    assert_eq!(wrong("src", |source| !is_fork(source) && names(source)), NONE);
}

#[test]
fn domain_store_and_service_wait_for_nobody() {
    assert_eq!(
        wrong("src", |source| source.is_in(&["domain", "store", "service"])
            && (source.has_word("async") || source.has_word("await"))),
        NONE
    );
}

#[test]
fn the_domain_does_neither_input_nor_output() {
    let reaches_out = [
        "Utc::now",
        "now_v7",
        "std::fs",
        "std::net",
        "std::env",
        "actix_web",
        "std::time::",
    ];
    assert_eq!(
        wrong("src", |source| source.is_in(&["domain"])
            && (source.has_word("rand")
                || reaches_out.iter().any(|path| source.has(path)))),
        NONE
    );
    assert_eq!(
        wrong("src", |source| source.is_in(&["service", "store", "domain"])
            && source.has("actix_web")),
        NONE
    );
}

#[test]
fn no_room_is_a_drawer_for_odds_and_ends() {
    let drawers = [
        "util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "shared",
    ];
    let is_drawer = |source: &Source| {
        source
            .path
            .trim_end_matches(".rs")
            .split('/')
            .any(|part| drawers.contains(&part))
    };
    assert_eq!(wrong("src", is_drawer), NONE);
    assert_eq!(wrong("tests", is_drawer), NONE);
}

#[test]
fn what_is_inserted_as_none_is_null() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        for (place, _) in source.text.match_indices("derive(") {
            let rest = source.text.get(place..).unwrap_or_default();
            let derived = rest.split(')').next().unwrap_or_default();
            let attributes = rest.split("struct ").next().unwrap_or_default();
            let lacks = |derive: &str, attribute: &str| derived.contains(derive) && !attributes.contains(attribute);
            if lacks("Insertable", "treat_none_as_default_value = false")
                || lacks("AsChangeset", "treat_none_as_null = true")
            {
                wrong.push(format!("{}: {}", source.path, rest.lines().take(3).collect::<String>()));
            }
        }
    }
    assert_eq!(wrong, NONE);
}

/// The tables that a script makes, each with its columns; constraints and types left out.
fn tables(sql: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let sql = lines.collect::<Vec<_>>().join(
        "
",
    );
    let mut tables = BTreeMap::new();
    for statement in sql.split(';') {
        let Some((_, made)) = statement.split_once("CREATE TABLE ") else {
            continue;
        };
        let (name, body) = made.split_once('(').expect("columns");
        let constraints = ["PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "CONSTRAINT", ")"];
        let columns = body
            .lines()
            .filter_map(first_word)
            .filter(|word| !constraints.contains(&word.as_str()));
        tables.insert(name.trim().to_owned(), columns.collect());
    }
    tables
}

fn scripts(database: &str) -> BTreeMap<String, (String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let steps = fs::read_dir(folder)
        .expect("migrations")
        .map(|entry| entry.expect("a step").path());
    steps
        .map(|step| {
            let script = |name: &str| fs::read_to_string(step.join(name)).expect("a script");
            let name = step.file_name().expect("a name").to_string_lossy().into_owned();
            (name, (script("up.sql"), script("down.sql")))
        })
        .collect()
}

#[test]
fn both_databases_go_the_same_way() {
    let (sqlite, postgres) = (scripts("sqlite"), scripts("postgres"));
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    let mut made = 0;
    for ((name, (up, down)), (other_up, other_down)) in sqlite.iter().zip(postgres.values()) {
        assert_eq!(tables(up), tables(other_up), "{name}");
        let indexes = |sql: &str| sql.matches("CREATE INDEX").count() + sql.matches("CREATE UNIQUE INDEX").count();
        assert_eq!(indexes(up), indexes(other_up), "{name}");
        for table in tables(up).keys() {
            made += 1;
            let dropped = format!("DROP TABLE {table};");
            assert!(
                down.contains(&dropped) && other_down.contains(&dropped),
                "{name} leaves {table} behind"
            );
        }
    }
    assert!(made > 5, "{made}");
}
