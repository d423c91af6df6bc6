//! Prometheus' text format, version 0.0.4: families of samples, each with its help and its type.

use std::fmt::{Display, Write};

/// What the numbers of a family mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process begins again.
    Counter,
    /// Is as it is now.
    Gauge,
    /// Counts of values up to bounds, their sum and their number.
    Histogram,
}

/// A page of metrics. Families are written one after the other; each name is to come once.
#[derive(Debug, Clone, Default)]
pub struct Text(String);

impl Text {
    /// The media type of a page.
    pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a family. Counters' names end in `_total`.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> Family<'_> {
        let word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to memory does not fail.
        let _ = writeln!(self.0, "# HELP {name} {}\n# TYPE {name} {word}", escaped(help, false));
        Family { page: &mut self.0, name }
    }

    /// A family of one number.
    pub fn single(&mut self, name: &'static str, kind: Kind, help: &'static str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The page.
    pub fn into_page(self) -> String {
        self.0
    }
}

/// The samples of one name. Those with the same labels are to come once.
#[derive(Debug)]
pub struct Family<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Family<'_> {
    /// A number, which must be written as one.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.write("", labels, &value);
    }

    /// A histogram: how many values were at most as large as each bound, their sum, and how many there were.
    pub fn histogram(&mut self, labels: &[(&str, &str)], within: impl Iterator<Item = (f64, u64)>, sum: f64, count: u64) {
        for (bound, number) in within {
            let bound = bound.to_string();
            self.write("_bucket", &[labels, &[("le", &bound)]].concat(), &number);
        }
        self.write("_bucket", &[labels, &[("le", "+Inf")]].concat(), &count);
        self.write("_sum", labels, &sum);
        self.write("_count", labels, &count);
    }

    fn write(&mut self, suffix: &str, labels: &[(&str, &str)], value: &dyn Display) {
        let mut named = String::new();
        for (name, value) in labels {
            let before = if named.is_empty() { '{' } else { ',' };
            let _ = write!(named, "{before}{name}=\"{}\"", escaped(value, true));
        }
        if !named.is_empty() {
            named.push('}');
        }
        let _ = writeln!(self.page, "{}{suffix}{named} {value}", self.name);
    }
}

/// Text that ends neither its line nor, if it is a label's value, its quotes.
fn escaped(text: &str, is_label: bool) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
    if is_label { escaped.replace('"', "\\\"") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_as_the_format_wants_it() {
        let mut text = Text::default();
        text.single("a_total", Kind::Counter, "All \\ of it.", u64::MAX);
        let mut family = text.family("b", Kind::Gauge, "Now.");
        family.sample(&[("tree", "eth\"0\"\n\\"), ("state", "attached")], 3);
        family.sample(&[("tree", "x"), ("state", "attached")], 0.25);
        let within = [(0.001, 2), (0.0025, 3)];
        text.family("c_seconds", Kind::Histogram, "Times.").histogram(&[("depth", "1")], within.into_iter(), 1.5, 4);
        let expected = r#"# HELP a_total All \\ of it.
# TYPE a_total counter
a_total 18446744073709551615
# HELP b Now.
# TYPE b gauge
b{tree="eth\"0\"\n\\",state="attached"} 3
b{tree="x",state="attached"} 0.25
# HELP c_seconds Times.
# TYPE c_seconds histogram
c_seconds_bucket{depth="1",le="0.001"} 2
c_seconds_bucket{depth="1",le="0.0025"} 3
c_seconds_bucket{depth="1",le="+Inf"} 4
c_seconds_sum{depth="1"} 1.5
c_seconds_count{depth="1"} 4
"#;
        assert_eq!(text.into_page(), expected);
    }
}
