//! A page says what the tables say, to the digit, and nothing that stands in them becomes a part of it.

use serde_json::Value as Json;

use super::*;
use crate::experiment::Results;
use crate::report::{Report, fixture};

fn tables(results: &Results) -> Vec<File> {
    Report::from(results).tables()
}

fn html(results: &Results) -> String {
    String::from_utf8(page(&tables(results)).expect("a report has a page").bytes).expect("a page is text")
}

/// What is embedded, read back as a browser does.
fn embedded(html: &str) -> Json {
    let (_, rest) = html.split_once("<script type=\"application/json\" id=\"data\">").expect("it is embedded");
    serde_json::from_str(rest.split_once("</script>").expect("it ends").0).expect("it is JSON")
}

/// The texts of an embedded column.
fn texts(column: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().expect("every field is a text").to_owned();
    match column.as_array() {
        Some(column) => column.iter().map(text).collect(),
        None => column["at"]
            .as_array()
            .expect("it is packed")
            .iter()
            .map(|place| text(&column["words"][place.as_u64().expect("a place") as usize]))
            .collect(),
    }
}

/// Every number of the one stands as its text in the other.
fn agree(table: &Json, page: &Json) {
    match (table, page) {
        (Json::Number(number), _) => assert_eq!(page, &Json::String(number.to_string())),
        (Json::Array(table), Json::Array(page)) => {
            assert_eq!(table.len(), page.len());
            table.iter().zip(page).for_each(|(table, page)| agree(table, page));
        }
        (Json::Object(table), Json::Object(page)) => {
            assert!(table.keys().eq(page.keys()), "in the same order");
            table.iter().for_each(|(key, value)| agree(value, &page[key]));
        }
        _ => assert_eq!(table, page),
    }
}

#[test]
fn every_number_is_the_text_of_its_table() {
    for results in
        [fixture::exchange(), fixture::replicated(), fixture::brokered(), fixture::empty(), fixture::silent()]
    {
        let files = tables(&results);
        let whole = embedded(&html(&results));
        for file in &files {
            let page = &whole["tables"][&file.name];
            if file.name == "summary.json" {
                let mut table: Json = serde_json::from_slice(&file.bytes).unwrap();
                let mut page = whole["tables"]["summary"].clone();
                assert_eq!(table["runs"].as_array().unwrap().len(), page["runs"].as_array().unwrap().len());
                [&mut table, &mut page].into_iter().for_each(|whole| {
                    whole.as_object_mut().unwrap().retain(|name, _| name != "runs" && name != "left_out");
                });
                agree(&table, &page);
            } else if file.name.ends_with(".csv") && file.name != "summary.csv" {
                let mut reader = csv::Reader::from_reader(&*file.bytes);
                let header = reader.headers().unwrap().clone();
                let run = header.iter().position(|name| name == "run");
                let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
                let rows: Vec<_> = rows.iter().filter(|row| run.is_none_or(|run| &row[run] == "all")).collect();
                let names = page["names"].as_array().unwrap();
                assert!(names.len() + 5 == header.len(), "{}", file.name);
                for (name, column) in names.iter().zip(page["columns"].as_array().unwrap()) {
                    let place = header.iter().position(|known| name == known).expect("it has this name in the table");
                    let table: Vec<_> = rows.iter().map(|row| row[place].to_owned()).collect();
                    assert_eq!(texts(column), table, "{} {name}", file.name);
                }
            }
        }
    }
}

#[test]
fn the_page_of_a_report_is_a_function_of_its_tables() {
    let results = fixture::replicated();
    let files = Report::from(&results).files();
    let page_of_run = files.iter().find(|file| file.name == PAGE).expect("a report has a page");
    assert_eq!(page(&files), Ok(page_of_run.clone()));
    let mut shuffled = tables(&results);
    shuffled.reverse();
    assert_eq!(page(&shuffled), Ok(page_of_run.clone()));
}

#[test]
fn no_text_becomes_a_part_of_the_page() {
    let (good, evil) = (html(&fixture::exchange()), html(&fixture::hostile()));
    for tag in ["<script", "</script", "<style", "</style", "<template", "</svg", "alert"] {
        let count = |html: &str| html.matches(tag).count();
        let more = if tag == "alert" { evil.matches("alert(").count() } else { 0 };
        assert_eq!(count(&good) + more, count(&evil), "{tag}");
    }
    let data = evil.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    assert!(!data.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\u{202e}']));
    let title = embedded(&evil)["tables"]["summary"]["title"].as_str().unwrap().to_owned();
    assert!(title.starts_with("<script>alert('1')</script>\"&]]>\u{fffd}"), "{title}");
}

#[test]
fn a_page_asks_for_nothing_from_elsewhere() {
    let html = html(&fixture::exchange());
    assert!(html.contains("default-src 'none'"));
    for reach in ["http://", "https://", "url(", "import(", "fetch(", "XMLHttpRequest", "innerHTML", "eval("] {
        let known = ["http://www.w3.org/2000/svg", "url(#"].map(|known| html.matches(known).count());
        let allowed = if reach == "http://" {
            known[0]
        } else if reach == "url(" {
            known[1]
        } else {
            0
        };
        assert_eq!(html.matches(reach).count(), allowed, "{reach}");
    }
}

#[test]
fn a_page_of_many_flows_stays_small() {
    let mut results = fixture::exchange();
    let run = &mut results.runs[0];
    let flow = run.flows[0].clone();
    run.flows =
        (0..500).map(|index| crate::metrics::FlowResult { entry: Some(format!("e{index}")), ..flow.clone() }).collect();
    run.courses = fixture::silent().runs[0].courses.clone();
    run.faults.clear();
    let html = html(&results);
    assert!(html.len() < 5_000_000, "{}", html.len());
    let whole = embedded(&html);
    let flows: std::collections::BTreeSet<_> =
        texts(&whole["tables"]["timeline.csv"]["columns"][1]).into_iter().collect();
    assert_eq!(flows.len(), 40);
    assert!(whole["tables"]["timeline.csv"]["left_out"].as_str().unwrap().parse::<u64>().unwrap() > 0);
}

#[test]
fn what_is_no_report_is_refused() {
    assert_eq!(page(&[]), Err(PageError::NoReport));
    let good = tables(&fixture::exchange());
    let with = |name: &str, content: &str| {
        let mut files = good.clone();
        files.retain(|file| file.name != name);
        files.push(File { name: name.into(), bytes: content.into() });
        page(&files).expect_err("it is damaged").to_string()
    };
    assert!(with("summary.json", "{").starts_with("`summary.json` is damaged: EOF"), "{}", with("summary.json", "{"));
    assert!(
        with("summary.json", "[]").starts_with("`summary.json` is damaged: invalid"),
        "{}",
        with("summary.json", "[]")
    );
    assert_eq!(with("summary.json", "{}"), "`summary.json` is damaged: it has no `total`");
    let other = with("summary.json", "{\"schema\": 7, \"total\": {}}");
    assert_eq!(other, "`summary.json` has schema 7; this version reads schema 1");
    assert!(with("timeline.csv", "a,b\n1\n").contains("`timeline.csv` is damaged: CSV error: record 1 (line: 2"));
    assert!(with("system.json", "{\"parts\": 3}").starts_with("`system.json` is damaged: "));
}
