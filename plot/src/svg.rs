//! A drawing as SVG: numbers with one decimal, one element for all shapes of a series, words as text.

use crate::drawing::{Anchor, Colour, Drawing, Marker, Path, Pen, Point, Shape, Stroke, Text};
use std::fmt::Write;

/// How thick the lines of a shape are beside its radius.
pub(crate) const THIN: f64 = 0.5;

/// The whole file.
pub(crate) fn encode(drawing: &Drawing) -> String {
    let Drawing { width, height, title, shapes } = drawing;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans,Verdana,sans-serif\">\n<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
        escaped(title)
    );
    for shape in shapes {
        match shape {
            Shape::Lines { path, pen } => lines(&mut out, path, *pen),
            Shape::Markers { marker, radius, colour, centres } => markers(&mut out, *marker, *radius, *colour, centres),
            Shape::Text(text) => words(&mut out, text),
        }
    }
    out.push_str("</svg>\n");
    out
}

fn lines(out: &mut String, path: &Path, pen: Pen) {
    out.push_str("<path d=\"");
    let mut last = Point::default();
    for stroke in &path.0 {
        match *stroke {
            Stroke::Start(to) => {
                let _ = write!(out, "M{} {}", number(to.x), number(to.y));
                last = to;
            }
            Stroke::Line(to) => {
                line(out, last, to);
                last = to;
            }
            Stroke::Bend(by, to) => {
                let _ = write!(out, "Q{} {} {} {}", number(by.x), number(by.y), number(to.x), number(to.y));
                last = to;
            }
            Stroke::Close => out.push('z'),
        }
    }
    let _ = write!(out, "\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"", colour(pen.colour), number(pen.width));
    if let Some((on, off)) = pen.dash {
        let _ = write!(out, " stroke-dasharray=\"{} {}\"", number(on), number(off));
    }
    out.push_str(" stroke-linejoin=\"round\"/>\n");
}

/// The shortest form, as most lines of steps go along an axis.
fn line(out: &mut String, from: Point, to: Point) {
    let ((x, y), (left, top)) = ((number(to.x), number(to.y)), (number(from.x), number(from.y)));
    let _ = match (x == left, y == top) {
        (true, true) => Ok(()),
        (false, true) => write!(out, "H{x}"),
        (true, false) => write!(out, "V{y}"),
        (false, false) => write!(out, "L{x} {y}"),
    };
}

/// A circle is a dot of a thick round pen, ten bytes long; the others are steps from one corner to the next.
fn markers(out: &mut String, marker: Marker, radius: f64, of: Colour, centres: &[Point]) {
    let mut shape = String::new();
    let (lines, filled) = marker.lines();
    let mut pen = (0.0, 0.0);
    for (number_of_line, line) in lines.iter().enumerate() {
        for (corner, (x, y)) in line.iter().enumerate() {
            let to = (rounded(x * radius), rounded(y * radius));
            if number_of_line + corner > 0 {
                let letter = if corner == 0 { 'm' } else { 'l' };
                let _ = write!(shape, "{letter}{} {}", number(to.0 - pen.0), number(to.1 - pen.1));
            }
            pen = to;
        }
    }
    let (x, y) = lines.first().and_then(|line| line.first()).copied().unwrap_or_default();
    out.push_str("<path d=\"");
    for centre in centres {
        let _ = write!(out, "M{} {}", number(centre.x + rounded(x * radius)), number(centre.y + rounded(y * radius)));
        out.push_str(match (lines.is_empty(), filled) {
            (true, _) => "h0",
            (false, _) => &shape,
        });
        if filled && !lines.is_empty() {
            out.push('z');
        }
    }
    let colour = colour(of);
    let _ = match (marker, filled) {
        (Marker::Circle, _) => {
            writeln!(
                out,
                "\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\" stroke-linecap=\"round\"/>",
                number(radius * 2.0)
            )
        }
        (_, true) => writeln!(out, "\" fill=\"{colour}\"/>"),
        (_, false) => writeln!(out, "\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\"/>", number(radius * THIN)),
    };
}

fn words(out: &mut String, text: &Text) {
    let (x, y) = (number(text.at.x), number(text.at.y));
    let _ = if text.upwards {
        write!(out, "<text transform=\"translate({x} {y}) rotate(-90)\"")
    } else {
        write!(out, "<text x=\"{x}\" y=\"{y}\"")
    };
    let _ = write!(out, " font-size=\"{}\" fill=\"{}\"", number(text.size), colour(text.colour));
    out.push_str(match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    });
    if text.halo {
        out.push_str(" stroke=\"#fff\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"");
    }
    let _ = writeln!(out, ">{}</text>", escaped(&text.words));
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// With one decimal, if it is not zero.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.trim_end_matches(".0") {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}

fn colour(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// As XML wants it.
fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(shapes: Vec<Shape>) -> String {
        encode(&Drawing { width: 30, height: 20, title: "a<b".to_owned(), shapes })
    }

    #[test]
    fn circles_are_short_and_other_shapes_are_corners() {
        let centres = vec![Point { x: 1.04, y: 2.0 }, Point { x: 3.0, y: 4.56 }];
        let dots =
            |marker| drawn(vec![Shape::Markers { marker, radius: 2.0, colour: Colour(0, 114, 178), centres: centres.clone() }]);
        assert!(dots(Marker::Circle).contains(
            "<path d=\"M1 2h0M3 4.6h0\" fill=\"none\" stroke=\"#0072b2\" stroke-width=\"4\" stroke-linecap=\"round\"/>"
        ));
        assert!(dots(Marker::Square).contains("M-0.8 0.2l3.6 0l0 3.6l-3.6 0zM1.2 2.8"), "{}", dots(Marker::Square));
        assert!(dots(Marker::Plus).contains("M-1.4 2l4.8 0m-2.4 -2.4l0 4.8M0.6"), "{}", dots(Marker::Plus));
    }

    #[test]
    fn words_cannot_break_out_of_their_element() {
        let text = Text {
            words: "<a> & \"b\"".to_owned(),
            at: Point { x: 1.0, y: 2.0 },
            anchor: Anchor::End,
            size: 12.0,
            colour: Colour(0, 0, 0),
            upwards: false,
            halo: false,
        };
        let file = drawn(vec![Shape::Text(text)]);
        assert!(file.contains("text-anchor=\"end\">&lt;a&gt; &amp; \"b\"</text>"), "{file}");
        assert!(file.contains("<title>a&lt;b</title>"), "{file}");
    }

    #[test]
    fn lines_along_an_axis_are_written_short() {
        let points = [(0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (5.01, 5.01), (6.0, 7.0)].map(|(x, y)| Point { x, y });
        let pen = Pen { colour: Colour(1, 2, 3), width: 1.5, dash: Some((4.0, 2.0)) };
        let file = drawn(vec![Shape::Lines { path: Path::through(&points), pen }]);
        assert!(
            file.contains("d=\"M0 0H5V5L6 7\" fill=\"none\" stroke=\"#010203\" stroke-width=\"1.5\" stroke-dasharray=\"4 2\""),
            "{file}"
        );
    }
}
