//! Tables: what a chart shows, figure by figure, for the eye and the ear alike.

use super::{Anchor, Area, Canvas, Fill, Font, Ink, Point, Role, Stroke};

/// What stays free in a cell at either side.
const INSET: f64 = 3.0;

/// What is seen of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The figure.
    Figure(String),
    /// A hatched field: there is a figure, and it is not shown.
    Withheld,
}

/// A cell: what is seen, and what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// A figure.
    pub seen: Seen,
    /// The same in words.
    pub said: String,
}

/// A table of figures. The first column has the heads of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it is called.
    pub name: String,
    /// The heads of the columns as they are seen and as they are said, the first of them over the heads of the rows.
    pub columns: Vec<(String, String)>,
    /// The rows, each with its head and a cell for every other column.
    pub rows: Vec<(String, Vec<Cell>)>,
}

impl Canvas {
    /// A table between these sides, from `top`; and where it ends. Heads are broken into lines; every other row stands on a
    /// band.
    pub fn table(&mut self, table: &Table, (left, top): Point, right: f64) -> f64 {
        let figures = table.columns.iter().skip(1).map(|_| 1.0).sum::<f64>().max(1.0);
        // Most of the width is for the figures, unless they need less.
        let column = f64::min(60.0, (right - left) * 0.62 / figures);
        let head = right - left - column * figures;
        self.group(Role::Table(&table.name), |canvas| {
            let mut y = canvas.heads(&table.columns, (left, top), head, column);
            for (place, (name, cells)) in table.rows.iter().enumerate() {
                let lines = Font::BODY.lines(name, head - 2.0 * INSET);
                let height = lines.iter().map(|_| Font::BODY.line_height()).sum::<f64>() + 6.0;
                if place % 2 == 0 {
                    let band = Area {
                        x: left,
                        y,
                        width: right - left,
                        height,
                    };
                    canvas.group(Role::Hidden, |canvas| canvas.rect(band, Fill::Solid(Ink::Band), None));
                }
                canvas.group(Role::Row, |canvas| {
                    canvas.group(Role::RowHeader, |canvas| {
                        canvas.paragraph((left + INSET, y + 2.0), head - 2.0 * INSET, Font::BODY, name)
                    });
                    let mut end = left + head;
                    for cell in cells {
                        end += column;
                        canvas.cell(cell, end, y, column);
                    }
                });
                y += height;
            }
            y
        })
    }

    fn heads(&mut self, columns: &[(String, String)], (left, top): Point, head: f64, column: f64) -> f64 {
        let font = Font {
            size: 11.0,
            ..Font::SMALL
        };
        let mut bottom = top;
        let mut end = left + head;
        self.group(Role::Row, |canvas| {
            for (place, (seen, said)) in columns.iter().enumerate() {
                let (x, width, anchor) = match place {
                    0 => (left + INSET, head, Anchor::Start),
                    _ => (end - INSET, column, Anchor::End),
                };
                canvas.group(Role::ColumnHeader, |canvas| {
                    canvas.group(Role::Spoken(said), |canvas| {
                        let mut y = top;
                        for line in font.lines(seen, width - 2.0 * INSET) {
                            canvas.text((x, y + font.size), anchor, font, &line);
                            y += font.line_height();
                        }
                        bottom = f64::max(bottom, y);
                    });
                });
                end += column;
            }
        });
        let rule = [(left, bottom + 3.0), (end - column, bottom + 3.0)];
        self.group(Role::Hidden, |canvas| canvas.line(&rule, Stroke::RULE));
        bottom + 4.0
    }

    fn cell(&mut self, cell: &Cell, end: f64, y: f64, width: f64) {
        self.group(Role::Cell, |canvas| {
            canvas.group(Role::Spoken(&cell.said), |canvas| match &cell.seen {
                Seen::Figure(figure) => canvas.text(
                    (end - INSET, y + 2.0 + Font::BODY.size),
                    Anchor::End,
                    Font::BODY,
                    figure,
                ),
                Seen::Withheld => {
                    let hatched = Area {
                        x: end - width + INSET,
                        y: y + 3.0,
                        width: width - INSET * 2.0,
                        height: Font::BODY.line_height(),
                    };
                    canvas.withheld(hatched);
                }
            });
        });
    }
}
