//! The ways of lines: out of a party's side, level through every column of parties or marks, and swinging between them.

use std::collections::BTreeMap;

use super::plan::{Between, END, Layout, mark_height, mark_width, node_name};
use crate::http::render::svg::{Area, Point};

/// How finely a curve is drawn.
const STEPS: [f64; 9] = [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0];

/// The way of a line, between its ends.
pub(super) struct Route {
    pub(super) through: Vec<Point>,
    pub(super) mark: Area,
}

impl Route {
    pub(super) fn of(graph: &Layout, areas: &[Area], line: &Between<'_>) -> Option<Self> {
        let [from, to] = line.sides.map(node_name);
        let label = graph.edge(&from, &to, Some(&line.name()))?;
        let (width, height) = (mark_width(&line.words), mark_height(&line.words));
        let inner = label.points.get(1..label.points.len().saturating_sub(1))?;
        let middle = areas.first().map(|area| (area.x, area.y));
        let (x, y) = label.x.zip(label.y).or(middle)?;
        Some(Self {
            through: inner.iter().map(|point| (point.x, point.y)).collect(),
            mark: Area {
                x: x - width / 2.0,
                y: y - height / 2.0,
                width,
                height,
            },
        })
    }
}

/// The columns in which parties or marks stand: the middle, and half of the width. A line crosses them level.
pub(super) fn columns(areas: &[Area], routed: &[(Between<'_>, Route)]) -> Vec<(f64, f64)> {
    let mut columns: Vec<(f64, f64)> = Vec::new();
    for area in areas.iter().chain(routed.iter().map(|(_, route)| &route.mark)) {
        let (middle, half) = (area.x + area.width / 2.0, area.width / 2.0);
        match columns.iter_mut().find(|(column, _)| (*column - middle).abs() < 1.0) {
            Some((_, widest)) => *widest = f64::max(*widest, half),
            None => columns.push((middle, half)),
        }
    }
    columns
}

/// Where each line begins and ends, by its place and its side: one under another, in the order in which they go on.
pub(super) fn ends(areas: &[Area], routed: &[(Between<'_>, Route)]) -> BTreeMap<(usize, usize), Point> {
    let mut at: BTreeMap<(usize, usize), Vec<(f64, usize)>> = BTreeMap::new();
    for (place, (line, route)) in routed.iter().enumerate() {
        let next = [route.through.first(), route.through.last()];
        for ((side, party), next) in line.sides.into_iter().enumerate().zip(next) {
            let y = next.map_or(0.0, |(_, y)| *y);
            at.entry((party, side)).or_default().push((y, place));
        }
    }
    let mut ends = BTreeMap::new();
    for ((party, side), mut lines) in at {
        let Some(area) = areas.get(party) else { continue };
        lines.sort_by(|(a, first), (b, second)| a.total_cmp(b).then(first.cmp(second)));
        let count = lines.iter().map(|_| 1.0).sum::<f64>();
        let apart = f64::min((area.height - 8.0) / count, 1.6 * END);
        let mut y = area.y + area.height / 2.0 - apart * (count - 1.0) / 2.0;
        if let [(straight_on, _)] = lines.as_slice() {
            // Beside it, as far as the party reaches.
            y = straight_on.clamp(area.y + END, area.y + area.height - 6.0) - 4.0;
        }
        for (_, place) in lines {
            let x = if side == 0 { area.x + area.width } else { area.x };
            // Under its word.
            ends.insert((place, side), (x, y + 4.0));
            y += apart;
        }
    }
    ends
}

/// Goes on to a point, level at both ends.
pub(super) fn swing(points: &mut Vec<Point>, (to_x, to_y): Point) {
    let Some(&(x, y)) = points.last() else { return };
    if (to_y - y).abs() < 0.5 {
        points.push((to_x, to_y));
        return;
    }
    let steps = STEPS.iter().skip(1);
    points.extend(steps.map(|t| {
        let share = t * t * (3.0 - 2.0 * t);
        (x + (to_x - x) * t, y + (to_y - y) * share)
    }));
}
