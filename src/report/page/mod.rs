//! `report.html`: one page that shows what the tables of a report say, by itself, without a network.
//!
//! A page is a function of the bytes of the tables, so what stands on it stands in them, and it can be made again from a
//! directory. Rust puts the tables into it as text, draws the system, and nothing else; `assets/` is what a browser does with
//! that. Numbers stay the very texts of the tables until they are shown. A user's text is escaped where it is embedded, is
//! never anything but text to the scripts, and the page itself forbids the browser whatever comes from elsewhere.

mod data;
mod diagram;
mod error;
mod markup;
#[cfg(test)]
mod tests;

use super::File;
use super::style::clean;

pub use error::PageError;

/// The name of the page among the files of a report.
pub const PAGE: &str = "report.html";

const SHELL: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");

/// What the browser runs, in this order.
const SCRIPTS: [&str; 9] = [
    include_str!("assets/human.js"),
    include_str!("assets/dom.js"),
    include_str!("assets/table.js"),
    include_str!("assets/scale.js"),
    include_str!("assets/chart.js"),
    include_str!("assets/frame.js"),
    include_str!("assets/run.js"),
    include_str!("assets/study.js"),
    include_str!("assets/main.js"),
];

/// The tables of a run that a page shows, if they are there.
const RUN: [&str; 9] = [
    "timeline.csv",
    "latency.csv",
    "utilisation.csv",
    "depth.csv",
    "attribution.csv",
    "lost.csv",
    "theory.csv",
    "stories.json",
    "scenario.toml",
];

/// The page of a report, whose tables are among these files.
///
/// # Errors
/// When they hold no report, or one of them is damaged.
pub fn page(files: &[File]) -> Result<File, PageError> {
    let named = |name: &str| files.iter().find(|file| file.name == name).map(|file| file.bytes.as_slice());
    let (kind, title, tables, drawing) = if let Some(summary) = named("summary.json") {
        let summary = data::summary("summary.json", summary)?;
        let system = named("system.json").map(|bytes| data::system("system.json", bytes)).transpose()?;
        let drawing = system.map(|system| diagram::draw(&system, &data::rates(&summary))).unwrap_or_default();
        let title = data::text(&summary, "title");
        let mut tables = vec![("summary", summary)];
        for name in RUN {
            if let Some(bytes) = named(name) {
                tables.push((name, data::table(name, bytes)?));
            }
        }
        ("run", title, tables, drawing)
    } else {
        let of_study = ["sweep", "compare", "tune"];
        let found = of_study.iter().find_map(|kind| Some((*kind, named(&format!("{kind}.json"))?)));
        let (kind, bytes) = found.ok_or(PageError::NoReport)?;
        let study = data::json(&format!("{kind}.json"), bytes)?;
        (kind, data::text(&study, "title"), vec![("study", study)], String::new())
    };
    let title = if title.is_empty() { "untitled".into() } else { clean(&title, 120) };
    let data = data::embedded(kind, tables);
    let parts: [(&str, &str); 5] = [
        ("title", &markup::escaped(&title)),
        ("style", STYLE),
        ("diagram", &drawing),
        ("data", &data),
        ("script", &SCRIPTS.concat()),
    ];
    Ok(File { name: PAGE.into(), bytes: filled(SHELL, &parts).into_bytes() })
}

/// The page of tables that were just made.
pub(super) fn of(tables: &[File]) -> Option<File> {
    Some(page(tables).expect("our own tables are whole"))
}

/// The shell with its parts, each in its place: what stands in a part is never looked at again.
fn filled(shell: &str, parts: &[(&str, &str)]) -> String {
    let mut pieces = shell.split("{{");
    let mut page = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").expect("every place is closed");
        let part = parts.iter().find(|(known, _)| *known == name).expect("every place has its part");
        page.push_str(part.1);
        page.push_str(rest);
    }
    page
}
