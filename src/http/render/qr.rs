//! QR codes (ISO/IEC 18004).

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// The quiet zone that readers need around a code, in modules.
const QUIET: usize = 4;

/// A QR code of this text, as a picture (SVG): black on white whatever surrounds it, since not every camera reads the contrary.
/// None where the text is longer than a code holds.
pub fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let modules = code.width();
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (place % modules + QUIET, place / modules + QUIET);
            write!(path, "M{x} {y}h1v1h-1z").ok()?;
        }
    }
    let size = modules + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" role=\"img\" aria-labelledby=\"title\" \
         shape-rendering=\"crispEdges\"><title id=\"title\">QR code of an invitation</title>\
         <rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn a_code_is_square_with_a_quiet_zone_and_does_not_repeat_its_text() {
        let drawn = svg("https://answer.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("it fits");
        let document = roxmltree::Document::parse(&drawn).expect("XML");
        // It takes version 4: 33 modules, and 4 on every side.
        assert_eq!(document.root_element().attribute("viewBox"), Some("0 0 41 41"));
        assert!(!drawn.contains("AAAAAAAA"));
        assert_eq!(svg(&"x".repeat(4000)), None);
    }
}
