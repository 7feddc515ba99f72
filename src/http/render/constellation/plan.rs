//! Where everything stands in a drawing. `dagre` ranks the parties and keeps everything apart: party from party, mark from
//! mark, and lines from both. It is given parties as high as the ends of their lines need, and lines with their marks.

use std::collections::BTreeMap;

use dagre::{
    EdgeLabel, LayoutOptions, NodeLabel, RankDir,
    graph::{Graph, GraphOptions},
    layout,
};

use super::routes::{Route, columns, ends, swing};
use crate::{
    domain::constellation::{Cardinality, Party, Relationship},
    http::render::svg::{Anchor, Area, Font, Point},
};

/// How wide a party is.
const PARTY: f64 = 132.0;
/// What stays free within it at either side.
pub(super) const INSET: f64 = 8.0;
/// From one end of a line to the next: a word stands between them.
pub(super) const END: f64 = 17.0;
/// How far a line runs straight from its end, under the word of its cardinality.
pub(super) const STRAIGHT: f64 = 38.0;
/// How far it has to swing up or down: the more begin at one party, the more.
const SWING: f64 = 22.0;
const SWING_MORE: f64 = 1.5;
const SWING_MOST: f64 = 70.0;
/// From a line down to its number.
const APART: f64 = 3.0;
/// A number with its frame is so high.
pub(super) const NUMBER: f64 = 18.0;
/// The widest words under a number.
pub(super) const WORDS: f64 = 92.0;

/// The font of a party's label.
pub(super) const LABEL: Font = Font::BODY.bold();

/// A party in its place.
pub(super) struct PlacedParty {
    /// Its label, in lines.
    pub(super) lines: Vec<String>,
    /// What it is.
    pub(super) kind: Vec<String>,
    /// Where.
    pub(super) area: Area,
}

/// A relationship in its place.
pub(super) struct PlacedLine {
    /// Which one it is, of those that are drawn.
    pub(super) place: usize,
    /// Through these places.
    pub(super) points: Vec<Point>,
    /// Where its number stands, and the words under it.
    pub(super) mark: Area,
    /// The words.
    pub(super) words: Vec<String>,
    /// The word at either end.
    pub(super) ends: [(Point, Anchor, Cardinality); 2],
}

/// Everything in its place.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) parties: Vec<PlacedParty>,
    pub(super) lines: Vec<PlacedLine>,
    /// How far it all reaches.
    pub(super) size: Point,
}

/// A relationship of a party to itself, which hangs under it.
struct Loop<'a> {
    place: usize,
    relationship: &'a Relationship,
    words: Vec<String>,
}

/// A relationship between two parties, from the one on the left to the one on the right.
pub(super) struct Between<'a> {
    place: usize,
    relationship: &'a Relationship,
    pub(super) words: Vec<String>,
    /// The parties' places.
    pub(super) sides: [usize; 2],
    is_reversed: bool,
}

impl Between<'_> {
    pub(super) fn name(&self) -> String {
        format!("{:03}", self.place)
    }
}

/// A party, and what it needs room for.
struct Sized<'a> {
    lines: Vec<String>,
    kind: Vec<String>,
    height: f64,
    /// How many lines begin at the side where most do.
    ends: f64,
    loops: Vec<Loop<'a>>,
}

impl Sized<'_> {
    fn of(party: &Party, ends: f64) -> Self {
        let width = PARTY - 2.0 * INSET;
        let (lines, kind) = (
            LABEL.lines(&party.label, width),
            Font::SMALL.lines(party.kind.label(), width),
        );
        let of_lines = |font: Font, lines: &[String]| lines.iter().map(|_| font.line_height()).sum::<f64>();
        let words = of_lines(LABEL, &lines) + of_lines(Font::SMALL, &kind) + 12.0;
        Self {
            lines,
            kind,
            height: f64::max(words, ends * END + 8.0),
            ends,
            loops: Vec::new(),
        }
    }

    /// Its own height, and that of what hangs under it.
    fn whole(&self) -> f64 {
        self.height + self.loops.iter().map(|one| loop_height(&one.words)).sum::<f64>()
    }
}

pub(super) fn mark_height(words: &[String]) -> f64 {
    NUMBER + words.iter().map(|_| Font::SMALL.line_height()).sum::<f64>()
}

pub(super) fn mark_width(words: &[String]) -> f64 {
    let widths = words.iter().map(|words| Font::SMALL.bold().width(words));
    widths.fold(34.0, f64::max) + 8.0
}

fn loop_height(words: &[String]) -> f64 {
    mark_height(words) + 12.0
}

impl Plan {
    /// Places these parties, and these relationships between them, each with the words under its number.
    pub(super) fn of(parties: &[&Party], relationships: &[(&Relationship, Vec<String>)]) -> Self {
        let (mut loops, between) = sorted(parties, relationships);
        let mut sized: Vec<Sized<'_>> = Vec::new();
        for (place, party) in parties.iter().enumerate() {
            let at = |side: usize| {
                let ends = between.iter().filter(|line| line.sides.get(side) == Some(&place));
                ends.map(|_| 1.0).sum::<f64>()
            };
            let mut one = Sized::of(party, f64::max(at(0), at(1)));
            one.loops = loops.remove(&place).unwrap_or_default();
            sized.push(one);
        }
        let graph = laid_out(&sized, &between);
        let mut plan = Self::default();
        let mut areas = Vec::new();
        for (place, one) in sized.into_iter().enumerate() {
            let area = area_of(&graph, place, &one);
            areas.push(area);
            plan.add_loops(area, &one.loops);
            plan.parties.push(PlacedParty {
                lines: one.lines,
                kind: one.kind,
                area,
            });
        }
        plan.add_lines(&graph, &areas, between);
        plan.size = plan.reach();
        plan
    }

    fn add_loops(&mut self, area: Area, loops: &[Loop<'_>]) {
        let (top, mut bottom) = (area.y + area.height, area.y + area.height);
        for (place, one) in loops.iter().enumerate() {
            // The outermost hangs lowest; of many, the inner ones share their way down.
            let within = loops.len().saturating_sub(place + 1).min(3);
            let inset = 4.0 + 3.0 * [0.0, 1.0, 2.0, 3.0].get(within).copied().unwrap_or_default();
            let (left, right) = (area.x + inset, area.x + area.width - inset);
            let height = mark_height(&one.words);
            let y = bottom + NUMBER / 2.0 + 10.0;
            bottom += loop_height(&one.words);
            let cardinality = one.relationship.cardinality;
            let width = mark_width(&one.words);
            self.lines.push(PlacedLine {
                place: one.place,
                points: vec![(left, top), (left, y), (right, y), (right, top)],
                mark: Area {
                    x: area.x + (area.width - width) / 2.0,
                    y: y - NUMBER / 2.0,
                    width,
                    height,
                },
                words: one.words.clone(),
                ends: [
                    ((left + 4.0, y - 7.0), Anchor::Start, cardinality.from),
                    ((right - 4.0, y - 7.0), Anchor::End, cardinality.to),
                ],
            });
        }
    }

    fn add_lines(&mut self, graph: &Layout, areas: &[Area], between: Vec<Between<'_>>) {
        let routed: Vec<(Between<'_>, Route)> = between
            .into_iter()
            .filter_map(|line| Some((Route::of(graph, areas, &line)?, line)))
            .map(|(route, line)| (line, route))
            .collect();
        let columns = columns(areas, &routed);
        let ends = ends(areas, &routed);
        for (place, (line, route)) in routed.into_iter().enumerate() {
            let (Some(&start), Some(&end)) = (ends.get(&(place, 0)), ends.get(&(place, 1))) else {
                continue;
            };
            let mut points = vec![start, (start.0 + STRAIGHT, start.1)];
            for &(x, y) in &route.through {
                let half = columns.iter().find(|(column, _)| (column - x).abs() < 1.0);
                let half = half.map_or(0.0, |(_, half)| *half);
                swing(&mut points, (x - half, y));
                points.push((x + half, y));
            }
            swing(&mut points, (end.0 - STRAIGHT, end.1));
            points.push(end);
            let cardinality = line.relationship.cardinality;
            let (left, right) = if line.is_reversed {
                (cardinality.to, cardinality.from)
            } else {
                (cardinality.from, cardinality.to)
            };
            self.lines.push(PlacedLine {
                place: line.place,
                points,
                mark: route.mark,
                words: line.words,
                ends: [
                    ((start.0 + 4.0, start.1 - 3.0), Anchor::Start, left),
                    ((end.0 - 4.0, end.1 - 3.0), Anchor::End, right),
                ],
            });
        }
        self.lines.sort_by_key(|line| line.place);
    }

    fn reach(&self) -> Point {
        let parties = self.parties.iter().map(|party| party.area);
        let areas = parties.chain(self.lines.iter().map(|line| line.mark));
        let corners = areas.map(|area| (area.x + area.width, area.y + area.height));
        let points = self.lines.iter().flat_map(|line| line.points.iter().copied());
        corners.chain(points).fold((0.0, 0.0), |(x, y), (wide, high)| {
            (f64::max(x, wide), f64::max(y, high))
        })
    }
}

/// Those of a party to itself, by the party's place; and those between two, turned so that they go round in no circle: then
/// the author's own direction is that of the drawing, as far as it can be.
fn sorted<'a>(
    parties: &[&Party],
    relationships: &[(&'a Relationship, Vec<String>)],
) -> (BTreeMap<usize, Vec<Loop<'a>>>, Vec<Between<'a>>) {
    let place_of: BTreeMap<&str, usize> = parties.iter().map(|party| party.key.as_str()).zip(0..).collect();
    let mut reached: Vec<u64> = (0..parties.len()).map(bit).collect();
    let (mut loops, mut between) = (BTreeMap::<usize, Vec<Loop<'a>>>::new(), Vec::new());
    for (place, (relationship, words)) in relationships.iter().enumerate() {
        let ends = [&relationship.from, &relationship.to].map(|key| place_of.get(key.as_str()).copied());
        let [Some(from), Some(to)] = ends else { continue };
        let words = words.clone();
        if from == to {
            loops.entry(from).or_default().push(Loop {
                place,
                relationship,
                words,
            });
            continue;
        }
        let leads_back = reached.get(to).is_some_and(|beyond| beyond & bit(from) != 0);
        let sides = if leads_back { [to, from] } else { [from, to] };
        let [left, right] = sides;
        let beyond = reached.get(right).copied().unwrap_or_default();
        for reach in &mut reached {
            if *reach & bit(left) != 0 {
                *reach |= beyond;
            }
        }
        between.push(Between {
            place,
            relationship,
            words,
            sides,
            is_reversed: leads_back,
        });
    }
    (loops, between)
}

/// A party in a set of them, of which there are at most 50.
fn bit(place: usize) -> u64 {
    u32::try_from(place).map_or(0, |place| 1_u64.checked_shl(place).unwrap_or_default())
}

pub(super) type Layout = Graph<NodeLabel, EdgeLabel>;

pub(super) fn node_name(place: usize) -> String {
    format!("{place:02}")
}

fn laid_out(parties: &[Sized<'_>], lines: &[Between<'_>]) -> Layout {
    let mut graph = Layout::with_options(GraphOptions {
        directed: true,
        multigraph: true,
        compound: false,
    });
    for (place, party) in parties.iter().enumerate() {
        let label = NodeLabel {
            width: PARTY,
            height: party.whole(),
            ..NodeLabel::default()
        };
        graph.set_node(node_name(place), Some(label));
    }
    for line in lines {
        let label = EdgeLabel {
            width: mark_width(&line.words),
            height: mark_height(&line.words) + APART,
            label_offset: APART,
            ..EdgeLabel::default()
        };
        let [from, to] = line.sides.map(node_name);
        graph.set_edge(&from, &to, Some(label), Some(&line.name()));
    }
    let most = parties.iter().map(|party| party.ends).fold(0.0, f64::max);
    let swing = f64::min(SWING + SWING_MORE * most, SWING_MOST);
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: 18.0,
        edgesep: 10.0,
        // Half of it lies before a mark, half behind.
        ranksep: 2.0 * (STRAIGHT + swing),
        ..LayoutOptions::default()
    };
    layout(&mut graph, Some(options));
    graph
}

fn area_of(graph: &Layout, place: usize, party: &Sized<'_>) -> Area {
    let node = graph.node(&node_name(place));
    let (x, y) = node.and_then(|node| node.x.zip(node.y)).unwrap_or_default();
    Area {
        x: x - PARTY / 2.0,
        y: y - party.whole() / 2.0,
        width: PARTY,
        height: party.height,
    }
}
