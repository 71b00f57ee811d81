//! The page of a report: made again from its tables, and in a browser as a reader meets it.
//!
//! The browser is a Chromium, the one that `CHROMIUM` names or one that is installed; where there is none, this says so and tests
//! the rest. A script that is put into a copy of the page does what a hand would do, and writes what it has seen into the page.

mod home;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use home::Home;

/// Two kinds of requests, a queue, and a fault.
const SHOP: &str = r#"
title = "A shop <b>&amp;"
[run]
duration = "20s"
[network]
latency = "5ms"
loss = "2%"
[clients.shop]
rate = "40/s"
mix.look = { weight = 3, call = "api", timeout = "100ms", max-attempts = 3 }
mix.buy = { weight = 1, publish = "orders" }
[services.api]
nodes = 2
work = "1ms"
[brokers.rabbit]
[queues.orders]
[consumers.packers]
queue = "orders"
work = "10ms"
[faults.stall]
at = "8s"
for = "3s"
pause = "api[0]"
[expect]
"shop/look.reliability" = ">= 10%"
"#;

fn shop() -> Home {
    let home = Home::new();
    home.write("shop.toml", SHOP);
    home.run(&["run", "shop.toml", "-o", "out", "--format", "quiet"]).with(0);
    home
}

#[test]
fn a_page_is_made_again_from_the_tables_to_the_byte() {
    let home = shop();
    let first = home.read("out/report.html");
    fs::remove_file(home.path("out/report.html")).unwrap();
    home.run(&["report", "out"]).with(0);
    assert_eq!(home.read("out/report.html"), first);
    home.run(&["report", "out", "-o", "page.html"]).with(0);
    assert_eq!(home.read("page.html"), first);
    assert_eq!(home.run(&["report", "out", "-o", "-"]).with(0).out, first);
    let sweep = ["sweep", "good.toml", "--sweep", "clients.app.rate=['20/s', '40/s']", "--runs", "2", "-o", "swept"];
    let sweep = [&sweep[..], &["--inconclusive", "pass"]].concat();
    home.run(&sweep).with(0);
    let first = home.read("swept/report.html");
    home.run(&["report", "swept"]).with(0);
    assert_eq!(home.read("swept/report.html"), first);
}

#[test]
fn what_is_no_report_is_2_and_what_cannot_be_read_is_4() {
    let home = shop();
    fs::create_dir(home.path("empty")).unwrap();
    let ended = home.run(&["report", "empty"]).with(2);
    assert!(ended.err.contains("empty") && ended.err.contains("no `summary.json`"), "{}", ended.err);
    assert!(home.run(&["report", "shop.toml"]).with(2).err.contains("is not a directory"));
    assert!(home.run(&["report", "nowhere"]).with(4).err.contains("cannot read `nowhere`"));
    assert!(home.run(&["report", "out", "-o", "no/such/page.html"]).with(4).err.contains("cannot write"));
    home.write("out/summary.json", "{");
    let ended = home.run(&["report", "out"]).with(2);
    assert!(ended.err.contains("`summary.json` is damaged"), "{}", ended.err);
}

/// What a hand does, and what is seen then.
const HAND: &str = include_str!("page/hand.js");
const HAND_ON_STUDY: &str = include_str!("page/study.js");

const WATCH: &str = r#"<script>
window.problems = [];
addEventListener("error", (event) => window.problems.push(event.message));
addEventListener("securitypolicyviolation", (event) => window.problems.push("not allowed: " + event.blockedURI));
for (const kind of ["error", "warn"]) { console[kind] = (...words) => window.problems.push(words.join(" ")); }
</script>"#;

/// What the hand has seen on a page in a window of this width, if there is a browser.
fn seen(home: &Home, page: &str, hand: &str, width: u32) -> Option<Value> {
    let named = std::env::var("CHROMIUM").ok();
    let known = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    let is_there =
        |name: &String| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let Some(browser) = named.into_iter().chain(known).find(is_there) else {
        println!("skipped: no Chromium is installed, and CHROMIUM names none");
        return None;
    };
    let copy = home.read(page).replacen("<title>", &format!("{WATCH}<title>"), 1);
    let copy = copy.replace("</body>", &format!("<script>{hand}</script></body>"));
    home.write("copy.html", copy);
    let url = format!("file://{}", Path::new(&home.path("copy.html")).display());
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
        ])
        .args(["--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.path("profile").display()))
        .arg(format!("--window-size={width},900"))
        .arg(url)
        .output()
        .expect("the browser starts");
    let dom = String::from_utf8_lossy(&output.stdout);
    let outcome = dom.split_once("<pre id=\"outcome\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let outcome = outcome.unwrap_or_else(|| panic!("the hand has written nothing:\n{dom}")).0;
    let plain = outcome.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    Some(serde_json::from_str(&plain).expect("the outcome is JSON"))
}

#[test]
fn a_reader_can_look_zoom_toggle_switch_and_sort() {
    let home = shop();
    for width in [1280, 500] {
        let Some(seen) = seen(&home, "out/report.html", HAND, width) else { return };
        assert_eq!(seen["problems"], serde_json::json!([]), "{seen}");
        assert_eq!((&seen["title"], &seen["bold"]), (&"A shop <b>&amp;".into(), &0.into()));
        let sections: Vec<_> = seen["sections"].as_array().unwrap().iter().map(|each| each.as_str().unwrap()).collect();
        assert_eq!(&sections[..2], ["Expectations", "Flows"]);
        assert!(["Stations", "Queues", "Faults", "System"].iter().all(|each| sections.contains(each)), "{sections:?}");
        assert!(seen["charts"].as_u64().unwrap() >= 5, "{seen}");
        assert_eq!(seen["broken"], 0, "{seen}");
        assert!(seen["width"].as_i64().unwrap() <= 0, "the page itself never scrolls sideways: {seen}");
        assert_eq!((&seen["hover"][0], &seen["hover"][1]), (&true.into(), &true.into()), "{seen}");
        assert!(seen["hover"][2].as_str().unwrap().contains("goodput"), "{seen}");
        assert_eq!((&seen["left"], &seen["keys"]), (&true.into(), &true.into()), "{seen}");
        assert_eq!(seen["toggled"], serde_json::json!([1, "false"]));
        assert_eq!((&seen["zoomed"], &seen["whole"]), (&true.into(), &true.into()), "{seen}");
        assert_eq!(seen["tabs"], serde_json::json!([["false", "true"], [true, false]]));
        assert_eq!((&seen["arrow"], &seen["dark"]), (&"true".into(), &true.into()));
        let sorted =
            |key: &str| seen[key][1].as_array().unwrap().iter().map(|each| each.as_f64().unwrap()).collect::<Vec<_>>();
        assert_eq!((&seen["down"][0], &seen["up"][0]), (&"descending".into(), &"ascending".into()));
        assert!(sorted("down").is_sorted_by(|a, b| a > b) && sorted("up").is_sorted_by(|a, b| a < b), "{seen}");
        assert_eq!(seen["boxes"], 4, "{seen}");
        assert!(seen["bands"].as_u64().unwrap() >= 2, "faults lie behind the curves: {seen}");
        assert!(seen["bars"].as_u64().unwrap() >= 2, "what latency is made of is drawn: {seen}");
        let (shown, told) = (seen["values"].as_array().unwrap(), numbers(&home, "out"));
        let invented: Vec<_> = shown.iter().filter(|each| !told.contains(each.as_str().unwrap())).collect();
        assert!(shown.len() > 100 && invented.is_empty(), "of {} numbers no table has {invented:?}", shown.len());
    }
}

/// All numbers of a report's tables, as they are written there.
fn numbers(home: &Home, report: &str) -> BTreeSet<String> {
    let files = fs::read_dir(home.path(report)).expect("there is a report").map(|file| file.unwrap().path());
    let tables = files.filter(|path| path.extension().is_some_and(|end| end == "csv" || end == "json"));
    let part = |c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c));
    tables
        .flat_map(|path| fs::read_to_string(path).unwrap().split(part).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_reader_can_explore_a_sweep() {
    let home = Home::new();
    let rates = "clients.app.rate=['20/s', '40/s', '80/s']";
    let work = "services.api.work=['1ms', '2ms']";
    let sweep = ["sweep", "good.toml", "--sweep", rates, "--sweep", work, "--runs", "2", "-o", "swept"];
    home.run(&[&sweep[..], &["--inconclusive", "pass", "--format", "quiet"]].concat()).with(0);
    let Some(seen) = seen(&home, "swept/report.html", HAND_ON_STUDY, 1000) else { return };
    assert_eq!(seen["problems"], serde_json::json!([]), "{seen}");
    let choices = seen["choices"].as_array().unwrap();
    assert_eq!(choices[1], serde_json::json!(["rate", "work"]));
    assert_eq!(choices[2], serde_json::json!(["nothing", "work"]));
    assert_eq!(choices[3], serde_json::json!(["lines", "heat map"]));
    assert_eq!((&seen["lines"], &seen["dots"]), (&2.into(), &6.into()), "{seen}");
    let table: Value = serde_json::from_str(&home.read("swept/sweep.json")).unwrap();
    let quantity = choices[0][0].as_str().unwrap();
    let points = table["points"].as_array().unwrap();
    let mut told: Vec<String> = points.iter().map(|point| point["quantities"][quantity]["value"].to_string()).collect();
    let mut cells: Vec<_> = seen["cells"].as_array().unwrap().iter().map(|each| each.as_str().unwrap()).collect();
    told.sort();
    cells.sort();
    assert_eq!(cells, told, "the map shows the very numbers of the table");
    assert_eq!((&seen["alone"][0], &seen["rows"], &seen["broken"]), (&1.into(), &6.into(), &0.into()), "{seen}");
    assert!(seen["width"].as_i64().unwrap() <= 0, "{seen}");
}
