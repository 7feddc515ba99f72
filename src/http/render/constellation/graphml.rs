//! A constellation as `GraphML` (<http://graphml.graphdrawing.org/primer/graphml-primer.html>), what is retired included.

use std::fmt::Write;

use crate::{
    domain::constellation::{Constellation, Setting},
    http::render::svg::escaped,
};

/// What is said of nodes and edges: for which, by which key, of which type.
const KEYS: [(&str, &str, &str); 10] = [
    ("graph", "title", "string"),
    ("node", "label", "string"),
    ("node", "kind", "string"),
    ("all", "retired", "boolean"),
    ("edge", "cardinality_from", "string"),
    ("edge", "cardinality_to", "string"),
    ("edge", "setting", "string"),
    ("edge", "circumstances", "string"),
    ("edge", "name", "string"),
    ("graph", "version", "int"),
];

/// The graph: parties by their keys, relationships by their ids.
pub fn graphml(constellation: &Constellation) -> String {
    let content = &constellation.content;
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                   <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" \
                   xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
                   xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n"
        .to_owned();
    for (what, key, kind) in KEYS {
        _ = writeln!(
            xml,
            "<key id=\"{key}\" for=\"{what}\" attr.name=\"{key}\" attr.type=\"{kind}\"/>"
        );
    }
    _ = writeln!(xml, "<graph id=\"c-{}\" edgedefault=\"directed\">", constellation.id);
    say(&mut xml, "title", Some(&content.title));
    say(&mut xml, "version", Some(&constellation.version.to_string()));
    for party in &content.parties {
        _ = writeln!(xml, "<node id=\"{}\">", party.key);
        say(&mut xml, "label", Some(&party.label));
        say(&mut xml, "kind", Some(party.kind.key()));
        say(&mut xml, "retired", party.retired.then_some("true"));
        xml.push_str("</node>\n");
    }
    for one in &content.relationships {
        _ = writeln!(
            xml,
            "<edge id=\"r-{}\" source=\"{}\" target=\"{}\">",
            one.id, one.from, one.to
        );
        say(&mut xml, "name", one.label.as_deref());
        say(&mut xml, "cardinality_from", Some(one.cardinality.from.key()));
        say(&mut xml, "cardinality_to", Some(one.cardinality.to.key()));
        say(&mut xml, "setting", one.setting.map(Setting::key));
        say(&mut xml, "circumstances", one.circumstances.as_deref());
        say(&mut xml, "retired", one.retired.then_some("true"));
        xml.push_str("</edge>\n");
    }
    xml.push_str("</graph>\n</graphml>\n");
    xml
}

fn say(xml: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        _ = writeln!(xml, "<data key=\"{key}\">{}</data>", escaped(value));
    }
}
