//! Text: how wide it is, where its lines break, and how it stands in XML.
//!
//! Nobody knows with which font a picture is read, so text is measured by the widest of those that systems come with
//! (Verdana and `DejaVu` Sans, which share their advance widths): in any other it is narrower, never wider.

use icu_segmenter::{GraphemeClusterSegmenter, LineSegmenter, options::LineBreakOptions};

use super::ink::Ink;

/// How text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Font {
    /// Its size, in units of the picture.
    pub size: f64,
    /// Whether it is bold.
    pub is_bold: bool,
    /// Its colour.
    pub ink: Ink,
}

impl Font {
    /// The picture's own title.
    pub const TITLE: Self = Self::new(16.0, true, Ink::Text);
    /// A heading within it.
    pub const HEADING: Self = Self::new(14.0, true, Ink::Text);
    /// What is read.
    pub const BODY: Self = Self::new(13.0, false, Ink::Text);
    /// What is looked up.
    pub const SMALL: Self = Self::new(12.0, false, Ink::Quiet);

    const fn new(size: f64, is_bold: bool, ink: Ink) -> Self {
        Self { size, is_bold, ink }
    }

    /// The same, in bold.
    #[must_use]
    pub const fn bold(self) -> Self {
        Self { is_bold: true, ..self }
    }

    /// The same in this colour.
    #[must_use]
    pub const fn in_ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// From one line to the next.
    pub fn line_height(self) -> f64 {
        (self.size * 1.3).ceil()
    }

    /// How wide this is at most, on one line.
    pub fn width(self, content: &str) -> f64 {
        // DejaVu Sans Bold is 1.12 times as wide as the regular in the middle of its letters, and up to 1.26 in few.
        let weight = if self.is_bold { 1.14 } else { 1.0 };
        let thousandths: u32 = content.chars().map(advance).sum();
        f64::from(thousandths) / 1000.0 * self.size * weight
    }

    /// Whether every word of this fits on a line by itself.
    pub fn fits(self, content: &str, width: f64) -> bool {
        content.split_ascii_whitespace().all(|word| self.width(word) <= width)
    }

    /// The lines of a text that is at most `width` wide: broken where its script breaks lines (UAX #14); a word that is too
    /// long by itself is broken between letters (UAX #29). Nothing is cut.
    pub fn lines(self, content: &str, width: f64) -> Vec<String> {
        let content = on_one_line(content);
        let mut lines = vec![String::new()];
        for piece in pieces(
            LineSegmenter::new_for_non_complex_scripts(LineBreakOptions::default()).segment_str(&content),
            &content,
        ) {
            if self.append(&mut lines, piece, width) {
                continue;
            }
            for letter in pieces(GraphemeClusterSegmenter::new().segment_str(piece), piece) {
                if !self.append(&mut lines, letter, width) {
                    lines.push(letter.to_owned());
                }
            }
        }
        let trimmed = lines.into_iter().map(|line| line.trim_end().to_owned());
        trimmed.filter(|line| !line.is_empty()).collect()
    }

    /// Puts a piece on the last line, or on a new one; or nowhere, where it is wider than a line.
    fn append(self, lines: &mut Vec<String>, piece: &str, width: f64) -> bool {
        match lines.last_mut() {
            Some(line) if self.width(&format!("{line}{}", piece.trim_end())) <= width => {
                line.push_str(piece);
                true
            }
            _ if self.width(piece.trim_end()) <= width => {
                lines.push(piece.to_owned());
                true
            }
            _ => false,
        }
    }
}

/// What stands between these places of a text.
fn pieces(ends: impl Iterator<Item = usize>, content: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    ends.filter_map(move |end| {
        let piece = content.get(from..end);
        from = end;
        piece.filter(|piece| !piece.is_empty())
    })
}

/// The same with single spaces where there is white space; spaces that do not break stay.
fn on_one_line(content: &str) -> String {
    let words = content.split(|c: char| c.is_ascii_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The advance widths of `!` to `~` in `DejaVu` Sans 2.37, in thousandths of the size, rounded up.
const ASCII: [u32; 94] = [
    401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337, 637, 637, 637, 637, 637, 637, 637, 637,
    637, 637, 337, 337, 838, 838, 838, 531, 1000, 685, 687, 699, 771, 632, 576, 775, 752, 295, 295, 656, 558, 863, 749,
    788, 604, 788, 695, 635, 611, 732, 685, 989, 686, 611, 686, 391, 337, 391, 838, 500, 500, 613, 635, 550, 635, 616,
    353, 635, 634, 278, 278, 580, 278, 975, 634, 612, 635, 635, 412, 521, 393, 634, 592, 818, 592, 592, 525, 637, 337,
    637, 838,
];

/// How far a character advances, in thousandths of the size. Outside ASCII by kind: 9 of 10 of `DejaVu`'s are narrower.
fn advance(c: char) -> u32 {
    let code = u32::from(c);
    if let Some(known) = code
        .checked_sub(33)
        .and_then(|place| ASCII.get(usize::try_from(place).ok()?))
    {
        return *known;
    }
    match code {
        0x20 | 0xa0 => 318,
        // Combining marks, joiners, selectors and marks of direction have no width of their own.
        0x0300..=0x036f
        | 0x0483..=0x0489
        | 0x0591..=0x05bd
        | 0x0610..=0x061a
        | 0x064b..=0x065f
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x2069
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f => 0,
        // Emoji are wider than a square in some fonts; what is East Asian wide or full-width is a square.
        0x2600..=0x27bf | 0x1f000..=0x1faff => 1300,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7ff
        | 0xf900..=0xfaff
        | 0xff00..=0xff60
        | 0x20000..
        | 0x2014
        | 0x2026
        | 0x2190..=0x21ff => 1000,
        _ if c.is_uppercase() => 860,
        // Latin with accents, Greek, Hebrew, Arabic as it is joined; then what is wider, Cyrillic and the scripts of India.
        0..=0x03ff | 0x0590..=0x06ff | 0x1e00..=0x1fff | 0x2000..=0x206f => 670,
        _ => 800,
    }
}

/// Text for XML 1.0, which has no place for control characters, U+FFFE and U+FFFF.
pub fn escaped(content: &str) -> String {
    let mut escaped = String::with_capacity(content.len());
    for c in content.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Whether a language (BCP 47) is written from right to left: by its script where it names one, else by the script in which
/// it mostly is.
pub fn is_right_to_left(language: &str) -> bool {
    let mut subtags = language.split('-');
    let primary = subtags.next().unwrap_or_default().to_ascii_lowercase();
    let private = |subtag: &&str| subtag.len() > 1;
    let script = subtags.take_while(private).find(|subtag| subtag.len() == 4);
    match script.map(str::to_ascii_lowercase) {
        Some(script) => ["adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"].contains(&script.as_str()),
        None => ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"].contains(&primary.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Font, escaped, is_right_to_left};

    #[test]
    fn lines_break_between_words_and_lose_nothing() {
        let text = "Llesiant a diogelwch pobl sy’n defnyddio’r gwasanaeth";
        let lines = Font::BODY.lines(text, 120.0);
        assert!(
            lines.len() > 2 && lines.iter().all(|line| Font::BODY.width(line) <= 120.0),
            "{lines:?}"
        );
        assert_eq!(lines.join(" "), text);
        assert_eq!(Font::BODY.lines(" \u{1} \n", 120.0), [""; 0]);
    }

    #[test]
    fn a_word_that_is_too_long_is_broken_between_letters() {
        let word = "Donaudampfschifffahrtsgesellschaftskapitänsmütze";
        let lines = Font::BODY.lines(word, 100.0);
        assert!(
            lines.len() > 2 && lines.iter().all(|line| Font::BODY.width(line) <= 100.0),
            "{lines:?}"
        );
        assert_eq!(lines.concat(), word);
        // A letter with its marks stays one, and so does a family; even where nothing fits.
        assert_eq!(Font::BODY.lines("e\u{301}👩‍👧", 1.0), ["e\u{301}", "👩‍👧"]);
    }

    #[test]
    fn scripts_without_spaces_break_too() {
        let lines = Font::BODY.lines("安全な場所で話を聞いてもらえる", 66.0);
        assert!(
            lines.len() >= 3 && lines.iter().all(|line| Font::BODY.width(line) <= 66.0),
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_no_xml_is_left_out() {
        assert_eq!(
            escaped("<a b='\"'>&\u{1}\u{ffff}"),
            "&lt;a b=&#39;&quot;&#39;&gt;&amp; "
        );
    }

    #[test]
    fn the_direction_is_that_of_the_script() {
        for language in ["ar", "he-IL", "ur", "az-Arab", "fa-x-latn"] {
            assert!(is_right_to_left(language), "{language}");
        }
        for language in ["en", "cy", "ar-Latn", "en-GB-x-easyread", ""] {
            assert!(!is_right_to_left(language), "{language}");
        }
    }
}
