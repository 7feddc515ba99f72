//! A picture read back as a reader of XML sees it, and where its words stand by measure.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::{
    Area, Ink,
    text::{Font, is_right_to_left},
};

/// A text of a picture, and the field it takes up.
#[derive(Debug, Clone)]
pub struct Words {
    /// What it says.
    pub content: String,
    /// How large it is.
    pub size: f64,
    /// Where it stands.
    pub area: Area,
}

/// A picture, parsed.
#[derive(Debug)]
pub struct Geometry {
    /// Its width and height.
    pub size: (f64, f64),
    /// The names of its elements.
    pub elements: BTreeSet<String>,
    /// Everything that is seen as words.
    pub words: Vec<Words>,
    /// What is said in place of what is seen.
    pub spoken: Vec<String>,
    /// The `<title>` and the `<desc>`.
    pub title: String,
    pub description: String,
    /// The patterns that something is filled with.
    pub patterns: BTreeSet<String>,
    /// The fields whose figures are withheld.
    pub withheld: Vec<Area>,
}

fn figure(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or_default().parse().expect(name)
}

impl Geometry {
    /// Parses a picture; one that is not well-formed fails the test.
    pub fn of(svg: &str) -> Self {
        let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
        let root = document.root_element();
        let view: Vec<f64> = root
            .attribute("viewBox")
            .expect("a view")
            .split(' ')
            .map(|side| side.parse().expect("a number"))
            .collect();
        let is_mirrored = is_right_to_left(root.attribute("lang").expect("a language"));
        let nodes = || root.descendants().filter(Node::is_element);
        let said = |name: &str| {
            let node = nodes()
                .find(|node| node.tag_name().name() == name)
                .expect("what is said");
            let id = node.attribute("id").expect("an id");
            let by = if name == "title" {
                "aria-labelledby"
            } else {
                "aria-describedby"
            };
            assert_eq!(root.attribute(by), Some(id));
            node.text().unwrap_or_default().to_owned()
        };
        let filled = nodes().filter_map(|node| {
            node.attribute("fill")?
                .strip_prefix("url(#")?
                .strip_suffix(')')
                .map(ToOwned::to_owned)
        });
        let patterns: BTreeSet<String> = filled.collect();
        for pattern in &patterns {
            assert!(
                nodes().any(|node| node.attribute("id") == Some(pattern)),
                "{pattern} is not defined"
            );
        }
        Self {
            size: (view[2], view[3]),
            elements: nodes().map(|node| node.tag_name().name().to_owned()).collect(),
            words: nodes()
                .filter(|node| node.tag_name().name() == "text")
                .map(|node| words(node, is_mirrored))
                .collect(),
            spoken: nodes()
                .filter_map(|node| node.attribute("aria-label").map(ToOwned::to_owned))
                .collect(),
            title: said("title"),
            description: said("desc"),
            patterns,
            withheld: nodes().filter(is_hatched).map(field).collect(),
        }
    }

    /// That every word stands within the picture, is large enough at 320 pixels, and hides no other; and that what is withheld
    /// hides neither a word nor something else that is.
    pub fn check(&self) {
        let (width, height) = self.size;
        let slack = 0.11;
        for words in &self.words {
            let Area {
                x,
                y,
                width: wide,
                height: high,
            } = words.area;
            let is_within = x >= -slack && y >= -slack && x + wide <= width + slack && y + high <= height + slack;
            assert!(is_within, "outside {width} × {height}: {words:?}");
            assert!(words.size * 320.0 / width >= 11.0, "too small: {words:?}");
        }
        for (place, one) in self.words.iter().enumerate() {
            for other in &self.words[place + 1..] {
                assert!(!meet(one.area, other.area, slack), "{one:?} meets {other:?}");
            }
        }
        for (place, one) in self.withheld.iter().enumerate() {
            for other in &self.withheld[place + 1..] {
                assert!(!meet(*one, *other, slack), "{one:?} meets {other:?}, both withheld");
            }
            for words in &self.words {
                assert!(!meet(*one, words.area, slack), "withheld {one:?} meets {words:?}");
            }
        }
    }

    /// Everything that is seen as words, one text after another.
    pub fn seen(&self) -> String {
        self.words
            .iter()
            .map(|words| words.content.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn is_hatched(node: &Node<'_, '_>) -> bool {
    node.tag_name().name() == "rect" && node.attribute("fill").is_some_and(|fill| fill.contains("-hatch-"))
}

fn field(node: Node<'_, '_>) -> Area {
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|side| figure(node, side));
    Area { x, y, width, height }
}

fn meet(a: Area, b: Area, slack: f64) -> bool {
    let apart = |a: f64, length: f64, b: f64| a + length <= b + slack;
    let across = !apart(a.x, a.width, b.x) && !apart(b.x, b.width, a.x);
    let down = !apart(a.y, a.height, b.y) && !apart(b.y, b.height, a.y);
    across && down
}

fn words(node: Node<'_, '_>, is_mirrored: bool) -> Words {
    let (size, content) = (figure(node, "font-size"), node.text().unwrap_or_default().to_owned());
    let font = Font {
        size,
        is_bold: node.attribute("font-weight").is_some(),
        ink: Ink::Text,
    };
    let width = font.width(&content);
    let before = match (node.attribute("text-anchor").expect("an anchor"), is_mirrored) {
        ("start", false) | ("end", true) => 0.0,
        ("middle", _) => width / 2.0,
        _ => width,
    };
    // From the top of the capitals to the foot of the descenders.
    let area = Area {
        x: figure(node, "x") - before,
        y: figure(node, "y") - size * 0.76,
        width,
        height: size * 0.98,
    };
    Words { content, size, area }
}
