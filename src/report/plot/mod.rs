//! Plots, as SVG and as PNG: the same sheet of shapes, drawn twice.
//!
//! Axes, marks and places are computed here in whole numbers and drawn through `plotters`' backends. Its chart layer is left
//! out: it places marks by the platform's logarithm, and an SVG must be the same bytes on every machine.

mod axis;
mod bands;
mod canvas;
mod cdf;
mod colour;
mod depth;
mod differences;
mod fates;
mod flows;
mod font;
mod heat_map;
mod knee;
mod knobs;
mod lines;
mod over_time;
mod overlay;
mod pareto;
mod response;
mod scale;
mod scatter;
mod sheet;
pub(super) mod story;
mod tail;
mod times;
mod utilisation;

use super::File;
use super::stored::{Comparison, Run, Stored, Sweep, Tuning};

/// Every plot that has something to show.
pub(super) fn files(stored: &Stored) -> Vec<File> {
    match stored {
        Stored::Run(run) => of_run(run),
        Stored::Sweep(sweep) => of_sweep(sweep),
        Stored::Comparison(comparison) => of_comparison(comparison),
        Stored::Tuning(tuning) => of_tuning(tuning),
    }
}

/// The plots of a run: how long messages take, what became of them, and what happened over time.
fn of_run(run: &Run) -> Vec<File> {
    let plots = [
        ("latency-cdf", cdf::plot(run)),
        ("latency-tail", tail::plot(run)),
        ("throughput", flows::throughput(run)),
        ("latency", flows::latency(run)),
        ("fates", fates::plot(&run.summary)),
        ("utilisation", utilisation::plot(run)),
        ("depth", depth::plot(run)),
    ];
    let drawn = plots.into_iter().filter_map(|(name, canvas)| Some((name.to_owned(), canvas?)));
    drawn.flat_map(both).collect()
}

/// The plots of a sweep: quantities along a factor, throughput against offered load where both are shown, and a map of each quantity where there are two factors.
fn of_sweep(sweep: &Sweep) -> Vec<File> {
    if lines::has_no_lines(sweep) {
        let sheets = scatter::plots(sweep).into_iter();
        return sheets
            .map(|(quantity, canvas)| (format!("along-{}", file_name(&quantity)), canvas))
            .flat_map(both)
            .collect();
    }
    let lines = response::plot(sweep).map(|canvas| ("sweep".to_owned(), canvas));
    lines.into_iter().chain(knee::plots(sweep)).chain(heat_map::plots(sweep)).flat_map(both).collect()
}

/// The plots of a comparison: how the sides' times lie, and how their quantities differ from the base's.
fn of_comparison(comparison: &Comparison) -> Vec<File> {
    let plots = [("times", overlay::plot(comparison)), ("differences", differences::plot(comparison))];
    let drawn = plots.into_iter().filter_map(|(name, canvas)| Some((name.to_owned(), canvas?)));
    drawn.flat_map(both).collect()
}

/// The plots of a tuning: what was to be best beside what it is subject to, and along each factor.
fn of_tuning(tuning: &Tuning) -> Vec<File> {
    let front = pareto::plot(tuning).map(|canvas| ("pareto".to_owned(), canvas));
    let knobs = knobs::plot(tuning).map(|canvas| ("knobs".to_owned(), canvas));
    front.into_iter().chain(knobs).flat_map(both).collect()
}

/// A quantity as part of a file's name.
fn file_name(quantity: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "-.".contains(letter) { letter } else { '-' };
    quantity.chars().map(plain).take(80).collect()
}

/// A canvas as SVG and as PNG.
fn both((name, canvas): (String, canvas::Canvas)) -> [File; 2] {
    let file = |end, bytes| File { name: format!("plots/{name}.{end}"), bytes };
    [file("svg", canvas.svg()), file("png", canvas.png())]
}

#[cfg(test)]
mod tests {
    use quick_xml::events::Event;

    use super::*;
    use crate::experiment::Results;
    use crate::report::{Report, fixture};

    fn plots(results: &Results) -> Vec<File> {
        Report::from(results).plots()
    }

    /// The names of the elements, and all text.
    pub(super) fn read(svg: &[u8]) -> (Vec<String>, String) {
        let text = std::str::from_utf8(svg).expect("UTF-8");
        assert!(text.chars().all(|c| !c.is_control() || c == '\n'), "no control characters in XML");
        let mut reader = quick_xml::Reader::from_str(text);
        let (mut names, mut words) = (Vec::new(), String::new());
        loop {
            match reader.read_event().expect("well-formed XML") {
                Event::Start(tag) | Event::Empty(tag) => {
                    tag.attributes().for_each(|attribute| assert!(attribute.is_ok(), "{attribute:?}"));
                    names.push(String::from_utf8(tag.name().as_ref().to_vec()).unwrap());
                }
                Event::Text(text) => words += &text.decode().unwrap(),
                Event::GeneralRef(entity) => {
                    let name = entity.decode().unwrap();
                    words += quick_xml::escape::resolve_predefined_entity(&name).expect("only XML's own entities");
                }
                Event::Eof => return (names, words),
                _ => {}
            }
        }
    }

    #[test]
    fn svg_is_xml_and_says_where_it_is_from() {
        for (results, count) in [
            (fixture::exchange(), 12),
            (fixture::replicated(), 12),
            (fixture::hostile(), 12),
            (fixture::brokered(), 14),
        ] {
            let files = plots(&results);
            assert_eq!(files.len(), count);
            for file in files.iter().filter(|file| file.name.ends_with(".svg")) {
                let (names, words) = read(&file.bytes);
                assert!(
                    names.iter().all(|name| ["svg", "rect", "polyline", "polygon", "text"].contains(&name.as_str()))
                );
                for origin in ["seed 42", &crate::report::fingerprint(&results), crate::report::VERSION] {
                    assert!(words.contains(origin), "{}: {origin}", file.name);
                }
            }
        }
    }

    #[test]
    fn coordinates_are_whole_and_on_the_sheet() {
        let files = [fixture::hostile(), fixture::brokered()].iter().flat_map(plots).collect::<Vec<_>>();
        for file in files.iter().filter(|file| file.name.ends_with(".svg")) {
            let text = std::str::from_utf8(&file.bytes).unwrap();
            for points in text.split("points=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                for point in points.split_whitespace() {
                    let (x, y) = point.split_once(',').unwrap();
                    assert!((0..1_920).contains(&x.parse::<i32>().unwrap()), "{point}");
                    assert!((0..5_000).contains(&y.parse::<i32>().unwrap()), "{point}");
                }
            }
            let size = text.split("font-size=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            assert!(size.len() <= 4, "{size}");
        }
    }

    #[test]
    fn png_decodes_to_the_sheet() {
        for file in plots(&fixture::exchange()).iter().filter(|file| file.name.ends_with(".png")) {
            let mut reader = png::Decoder::new(std::io::Cursor::new(&file.bytes)).read_info().expect("a PNG");
            let mut pixels = vec![0; reader.output_buffer_size().expect("it fits into memory")];
            let info = reader.next_frame(&mut pixels).expect("whole");
            assert_eq!(info.width, 1_920);
            assert!(pixels.iter().any(|&byte| byte < 50), "something is drawn");
        }
    }

    #[test]
    fn what_never_happened_has_no_plot() {
        assert_eq!(plots(&fixture::empty()), []);
        plots(&fixture::silent());
    }
}
