//! Whole sheets: what is in the files, how large they are, and that no data brings them down.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use treevnc_plot::{Axis, Chart, Format, Mark, PlotError, Series, Sheet, Style};

const STYLES: [Style; 5] = [Style::Line, Style::Dashed, Style::Dots, Style::Marked, Style::Steps];

fn chart() -> Chart {
    Chart::new("a chart", Axis::linear("time (s)"), Axis::linear("delay (ms)"))
}

fn svg(sheet: &Sheet) -> String {
    String::from_utf8(sheet.render(Format::Svg).unwrap()).unwrap()
}

/// Width, height and pixels of a PNG.
fn pixels(bytes: &[u8]) -> (u32, u32, Vec<[u8; 3]>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut raw = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut raw).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    (info.width, info.height, raw.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect())
}

/// Points that jump about, the same each time.
fn noise(count: u32) -> Vec<(f64, f64)> {
    let jump = |n: u32| f64::from(n.wrapping_mul(2_654_435_761) >> 12) / 1e4;
    (0..count).map(|n| (f64::from(n) / 100.0, jump(n))).collect()
}

#[test]
fn a_sheet_says_what_it_was_told() {
    let first = chart().with(Series::line("root <1>", noise(10))).with(Series::dots("", noise(5)));
    let second = Chart::new("beside", Axis::log("size (KB)"), Axis::log("ms").within(1.0, 1000.0))
        .mark(Mark::At { x: 20.0, label: "killed".into() });
    let second = second
        .with(Series::steps("nodes", vec![(10.0, 3.0), (70.0, 200.0)]))
        .mark(Mark::Level { y: 7.0, label: "floor & more".into() });
    let file = svg(&Sheet::new("two charts", 2, vec![first, second]));
    let texts = file.split("<text ").skip(1).filter_map(|text| text.split_once('>')?.1.split_once("</text>"));
    let words: Vec<_> = texts.map(|(words, _)| words.trim()).collect();
    for said in [
        "two charts",
        "a chart",
        "beside",
        "time (s)",
        "delay (ms)",
        "size (KB)",
        "root &lt;1&gt;",
        "nodes",
        "killed",
        "floor &amp; more",
        "1000",
        "500",
    ] {
        assert_eq!(words.iter().filter(|word| **word == said).count(), 1, "{said}: {words:?}");
    }
    assert!(!words.contains(&""), "{words:?}");
    assert!(file.contains("width=\"840\" height=\"334\""), "{file}");
}

#[test]
fn both_forms_show_the_same() {
    let sheet = Sheet::new("", 1, vec![chart().with(Series::line("one", vec![(0.0, 0.0), (10.0, 10.0)]))]);
    let (width, height, picture) = pixels(&sheet.render(Format::Png).unwrap());
    assert_eq!((width, height), (840, 600), "two pixels for each");
    let blue = |rgb: &[u8; 3]| *rgb == [0, 114, 178];
    let places: Vec<_> = picture.iter().enumerate().filter(|(_, rgb)| blue(rgb)).map(|(at, _)| at % 840).collect();
    let (left, right) = (*places.iter().min().unwrap(), *places.iter().max().unwrap());
    // The line goes through the whole plot, and the plot through most of the chart.
    assert!(left < 150 && right > 780, "{left} to {right}");
    let file = svg(&sheet);
    let lines = file.lines().filter(|line| line.starts_with("<polyline") && line.contains("#0072B2")).count();
    assert_eq!(lines, 2, "in the plot and in the legend");
    assert!(file.starts_with("<svg width=\"420\" height=\"300\"") && file.contains("viewBox=\"0 0 1680 1200\""), "{file}");
    let ink = picture.iter().filter(|rgb| rgb.iter().all(|part| *part < 90)).count();
    assert!((2_000..20_000).contains(&ink), "{ink} pixels of words and axes");
}

#[test]
fn lines_stay_in_their_plot_however_they_jump() {
    for style in STYLES {
        let sheet = |points| {
            let axes = Chart::new("", Axis::linear("").within(0.0, 10.0), Axis::linear("").within(0.0, 60.0));
            Sheet::new("", 1, vec![axes.with(Series { name: String::new(), style, points })])
        };
        let (_, _, picture) = pixels(&sheet(noise(3000)).render(Format::Png).unwrap());
        let coloured = picture.iter().enumerate().filter(|(_, rgb)| rgb[2] > rgb[0].saturating_add(40)).map(|(at, _)| at);
        let places: Vec<_> = coloured.map(|at| (at % 840, at / 840)).collect();
        // Half a shape may stand over.
        let inside = |(x, y): &(usize, usize)| (40..=826).contains(x) && (14..=562).contains(y);
        assert!(places.len() > 10_000 && places.iter().all(inside), "{style:?}");
    }
}

#[test]
fn many_points_make_no_large_file() {
    for style in STYLES {
        let noise = Series { name: "noise".into(), style, points: noise(200_000) };
        let file = svg(&Sheet::new("", 1, vec![chart().with(noise)]));
        assert!(file.len() < 1_000_000, "{style:?}: {} bytes", file.len());
    }
    let few = svg(&Sheet::new("", 1, vec![chart().with(Series::dots("few", noise(5000)))]));
    assert!(few.len() < 300_000, "{} bytes", few.len());
}

#[test]
fn the_same_sheet_is_the_same_file() {
    let sheet = || {
        let series = STYLES.map(|style| Series { name: format!("{style:?}"), style, points: noise(500) });
        Sheet::new("twice", 3, vec![series.into_iter().fold(chart(), Chart::with); 3])
    };
    for format in [Format::Svg, Format::Png] {
        assert!(sheet().render(format).unwrap() == sheet().render(format).unwrap());
    }
}

#[test]
fn no_data_brings_it_down() {
    let nan = f64::NAN;
    let all: [&[(f64, f64)]; 9] = [
        &[],
        &[(nan, nan)],
        &[(1.0, 2.0)],
        &[(5.0, 5.0), (5.0, 5.0), (5.0, 5.0)],
        &[(0.0, 0.0), (-1.0, -1.0)],
        &[(1.0, 1.0), (nan, 2.0), (3.0, f64::INFINITY), (4.0, 4.0)],
        &[(f64::MIN, f64::MAX), (f64::MAX, f64::MIN)],
        &[(f64::MIN_POSITIVE, 1e-300), (1e300, 1e149)],
        &[(1e15, 1e15 + 1.0), (1e15 + 1.0, 1e15)],
    ];
    let ranges = [None, Some((2.0, 1.0)), Some((3.0, 3.0)), Some((nan, 1.0)), Some((0.0, 1e-300)), Some((f64::MIN, f64::MAX))];
    for points in all {
        for range in ranges {
            for axis in [Axis::linear("a"), Axis::log("b")] {
                let axis = Axis { range, ..axis };
                let marks = [Mark::At { x: nan, label: "m".into() }, Mark::Level { y: f64::INFINITY, label: String::new() }];
                let empty = marks.into_iter().fold(Chart::new("", axis.clone(), axis), Chart::mark);
                let series = STYLES.map(|style| Series { name: "s".into(), style, points: points.to_vec() });
                let sheet =
                    Sheet { chart_px: (160, 120), ..Sheet::new("t", 9, vec![series.into_iter().fold(empty, Chart::with)]) };
                let file = svg(&sheet);
                assert!(!file.contains("NaN") && !file.contains("inf"), "{points:?} {range:?}\n{file}");
                assert!(!sheet.render(Format::Png).unwrap().is_empty());
            }
        }
    }
    assert!(svg(&Sheet::new("", 0, Vec::new())).contains("</svg>"));
}

#[test]
fn a_single_point_is_seen_whatever_its_style() {
    let without = svg(&Sheet::new("", 1, vec![chart()]));
    assert!(!without.contains("#0072B2"));
    for style in STYLES {
        let one = Series { name: String::new(), style, points: vec![(3.0, 4.0)] };
        let dots = svg(&Sheet::new("", 1, vec![chart().with(one)])).matches("#0072B2").count();
        assert_eq!(dots, 1, "{style:?}");
    }
}

#[test]
fn everything_stays_on_the_page_however_long_the_words_and_small_the_chart() {
    let long = "a very long name of something ".repeat(40);
    let series = (0..60).map(|n| Series::marked(format!("{n} {long}"), noise(20)));
    let marks = (0..30).map(|n| Mark::At { x: f64::from(n) / 200.0, label: format!("{long}\n\u{7}") });
    let busy = series.fold(Chart::new(long.clone(), Axis::linear(long.clone()), Axis::linear(long.clone())), Chart::with);
    let sheet = Sheet { chart_px: (160, 120), ..Sheet::new(long.clone(), 1, vec![marks.fold(busy, Chart::mark)]) };
    let file = svg(&sheet);
    assert!(!file.contains('\u{7}'));
    let numbers = |name: &str| -> Vec<i32> {
        let before = format!(" {name}=\"");
        let values = file.split(&before).skip(1).filter_map(|rest| rest.split_once('"'));
        values.map(|(value, _)| value.parse().unwrap()).collect()
    };
    let (across, down) = ([numbers("cx"), numbers("x")].concat(), [numbers("cy"), numbers("y")].concat());
    assert!(across.len() > 30 && across.iter().all(|x| (0..=640).contains(x)), "{across:?}");
    assert!(down.len() > 30 && down.iter().all(|y| (0..=616).contains(y)), "{down:?}");
    sheet.render(Format::Png).unwrap();
}

#[test]
fn what_cannot_be_drawn_is_an_error_that_says_so() {
    let folder = std::env::temp_dir().join(format!("treevnc-plot-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let sheet = Sheet::new("", 1, vec![chart()]);
    assert!(matches!(sheet.write(Path::new("a.pdf")), Err(PlotError::Extension(_))));
    let nowhere = sheet.write(&folder.join("no/folder.svg")).unwrap_err().to_string();
    assert!(nowhere.starts_with("cannot write") && nowhere.contains("folder.svg"), "{nowhere}");
    for chart_px in [(0, 0), (159, 120), (20_000, 200), (u32::MAX, u32::MAX), (4100, 4100)] {
        let odd = Sheet { chart_px, ..sheet.clone() };
        let said = odd.write(&folder.join("never.png")).unwrap_err().to_string();
        assert!(said.contains(&format!("{}x{}", chart_px.0, chart_px.1)), "{said}");
    }
    assert!(!folder.join("never.png").exists());
    sheet.write(&folder.join("a.SVG")).unwrap();
    sheet.write(&folder.join("a.png")).unwrap();
    assert!(std::fs::read(folder.join("a.png")).unwrap().starts_with(b"\x89PNG"));
    std::fs::remove_dir_all(folder).unwrap();
}
