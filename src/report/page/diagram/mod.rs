//! The system as a drawing: clients to the left, and to the right of everyone those that they send to.
//!
//! Boxes are parts of the system ([`boxes`]), which stand in columns ([`layout`]); regions are frames, one below the other. Colours
//! and fonts are the page's.

mod boxes;
mod layout;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::report::human;
use crate::report::style::clean;
use crate::scenario::plan::{Medium, System, Traffic};

use super::markup::escaped;
use boxes::{Arrow, Boxes};
use layout::{BOX_HEIGHT, Layout, Point};

/// Links that are listed, at the most.
const LINKS_MAX: usize = 12;

/// The drawing, and below it what lies between nodes. `rates` says how many messages a second go from whom to whom.
pub(super) fn draw(system: &System, rates: &BTreeMap<(String, String), f64>) -> String {
    let boxes = Boxes::of(system, rates);
    if boxes.list.is_empty() {
        return String::new();
    }
    let layout = Layout::of(&boxes);
    let (width, height) = layout.size;
    let mut svg = format!(
        "<div class=\"diagram\"><svg viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         role=\"img\" aria-label=\"The system\">\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0,0.8 L7.2,4 L0,7.2 z\"/></marker></defs>"
    );
    for frame in &layout.frames {
        let (top, bottom) = frame.between;
        write!(
            svg,
            "<rect class=\"frame\" x=\"2\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"8\"/>\
             <text class=\"region\" x=\"12\" y=\"{:.1}\">{}</text>",
            width - 4.0,
            bottom - top,
            top + 17.0,
            escaped(&clean(&frame.name, 40)),
        )
        .expect("memory can be written");
    }
    boxes.arrows.iter().zip(&layout.ways).for_each(|(arrow, way)| draw_arrow(&mut svg, &boxes, arrow, way));
    // Labels last, so that no line crosses them.
    boxes.arrows.iter().zip(&layout.ways).for_each(|(arrow, way)| draw_label(&mut svg, arrow, way));
    for (each, at) in boxes.list.iter().zip(&layout.corners) {
        write!(
            svg,
            "<g class=\"part {}\"><title>{}</title>\
             <rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BOX_HEIGHT:.1}\" rx=\"6\"/>\
             <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
             <text class=\"about\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            each.kind,
            escaped(&each.title),
            at.x,
            at.y,
            each.width,
            at.x + each.width / 2.0,
            at.y + 20.0,
            escaped(&each.name),
            at.x + each.width / 2.0,
            at.y + 37.0,
            escaped(&each.about),
        )
        .expect("memory can be written");
    }
    svg.push_str("</svg></div>");
    if boxes.left_out > 0 {
        write!(svg, "<p class=\"note\">{} more parts of the system are not drawn.</p>", human::count(boxes.left_out))
            .expect("memory can be written");
    }
    svg + &media(&system.links)
}

fn draw_arrow(svg: &mut String, boxes: &Boxes, arrow: &Arrow, way: &[Point]) {
    let Some((first, rest)) = way.split_first() else { return };
    let mut path = format!("M{:.1},{:.1}", first.x, first.y);
    let mut from = *first;
    for to in rest {
        let half = (to.x - from.x) / 2.0;
        // Backwards, the line swings out below.
        let (out, into, sink) =
            if half > 0.0 { (from.x + half, to.x - half, 0.0) } else { (from.x + 46.0, to.x - 46.0, 54.0) };
        write!(path, " C{out:.1},{:.1} {into:.1},{:.1} {:.1},{:.1}", from.y + sink, to.y + sink, to.x, to.y)
            .expect("memory can be written");
        from = *to;
    }
    let names = format!("{} → {}", boxes.list[arrow.from].name, boxes.list[arrow.to].name);
    write!(
        svg,
        "<path class=\"way {}\" d=\"{path}\" marker-end=\"url(#tip)\"><title>{}</title></path>",
        class_of(arrow.kind),
        escaped(&format!("{names}: {}", arrow.label))
    )
    .expect("memory can be written");
}

fn draw_label(svg: &mut String, arrow: &Arrow, way: &[Point]) {
    let [.., before, last] = way else { return };
    if arrow.label.is_empty() {
        return;
    }
    let (x, y) = (before.x + (last.x - before.x) * 0.5, before.y + (last.y - before.y) * 0.5);
    // Beside a level line, and in the midst of one that rises.
    let y = if (last.y - before.y).abs() < 10.0 { y - 8.0 } else { y + 4.0 };
    write!(svg, "<text class=\"rate\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(&arrow.label))
        .expect("memory can be written");
}

fn class_of(kind: Traffic) -> &'static str {
    match kind {
        Traffic::Call => "call",
        Traffic::Send => "send",
        Traffic::Publish => "publish",
        Traffic::Bind => "bind",
        Traffic::Deliver => "deliver",
        Traffic::DeadLetter => "dead-letter",
    }
}

/// What lies between nodes, in words.
fn media(links: &[Medium]) -> String {
    let mut list = String::new();
    for link in links.iter().filter(|link| link.ends.is_some() || !link.does.is_empty()).take(LINKS_MAX) {
        let ends = link.ends.as_ref().map_or_else(String::new, |[from, to]| {
            let arrow = if link.is_both_ways { "↔" } else { "→" };
            format!(" {} {arrow} {}", clean(from, 40), clean(to, 40))
        });
        let does = if link.does.is_empty() { "ideal".into() } else { link.does.join(", ") };
        let name = clean(&link.name, 40);
        write!(list, "<li><b>{}</b>{}: {}</li>", escaped(&name), escaped(&ends), escaped(&clean(&does, 120)))
            .expect("memory can be written");
    }
    if list.is_empty() {
        return list;
    }
    let more = links.len().saturating_sub(LINKS_MAX);
    let more = if more > 0 { format!("<li>… {more} more links</li>") } else { String::new() };
    format!("<ul class=\"media\">{list}{more}</ul>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::{Kind, Part, Way};

    fn part(name: &str, kind: Kind, nodes: u32) -> Part {
        Part { name: name.into(), kind, nodes: Some(nodes), workers: None, at: Vec::new(), host: None }
    }

    fn way(from: &str, to: &str) -> Way {
        Way { from: from.into(), to: to.into(), kind: Traffic::Call }
    }

    /// The x of the box with this name.
    fn column(drawing: &str, name: &str) -> f64 {
        let text = drawing.find(&format!(">{name}</text>")).expect("it is drawn");
        let group = drawing[..text].rfind("<rect x=\"").expect("it has a box") + 9;
        drawing[group..].split('"').next().unwrap().parse().unwrap()
    }

    #[test]
    fn callers_stand_to_the_left_of_those_they_call() {
        let parts = ["db", "app", "cache", "user"].map(|name| part(name, Kind::Service, 1));
        let ways =
            vec![way("user", "app"), way("app", "db"), way("app", "cache"), way("cache", "db"), way("db", "app")];
        let system = System { parts: parts.into(), ways, links: Vec::new() };
        let rates = BTreeMap::from([(("user".to_owned(), "app".to_owned()), 1_234.0)]);
        let drawing = draw(&system, &rates);
        let columns = ["user", "app", "cache", "db"].map(|name| column(&drawing, name));
        assert!(columns.is_sorted_by(|left, right| left < right), "{columns:?}");
        assert!(drawing.contains(">1.23k/s</text>"), "{drawing}");
    }

    #[test]
    fn many_that_are_alike_are_one_box_and_nothing_is_too_much() {
        let mut parts = vec![part("user", Kind::Client, 1_000)];
        parts.extend((0..300).map(|index| part(&format!("shard-{index}"), Kind::Service, 2)));
        let ways = (0..300).map(|index| way("user", &format!("shard-{index}"))).collect();
        let drawing = draw(&System { parts, ways, links: Vec::new() }, &BTreeMap::new());
        assert!(drawing.contains("300 services") && drawing.contains("1,000 nodes"), "{drawing}");
        let chain: Vec<Way> = (1..500).map(|index| way(&format!("s{}", index - 1), &format!("s{index}"))).collect();
        let mut parts: Vec<Part> = (0..500).map(|index| part(&format!("s{index}"), Kind::Service, 1)).collect();
        let drawing = draw(&System { parts: parts.clone(), ways: chain, links: Vec::new() }, &BTreeMap::new());
        assert!(drawing.contains("476 services") && drawing.matches("class=\"part").count() == 25, "{drawing}");
        parts.iter_mut().for_each(|part| part.at = vec![(part.name.clone(), 1)]);
        let drawing = draw(&System { parts, ways: Vec::new(), links: Vec::new() }, &BTreeMap::new());
        assert!(drawing.contains("420 more parts of the system are not drawn") && drawing.len() < 100_000);
    }

    #[test]
    fn no_name_leaves_its_place() {
        let evil = "</svg><script>&\"'";
        let system = System {
            parts: vec![part(evil, Kind::Client, 1), part("api", Kind::Service, 1)],
            ways: vec![way(evil, "api")],
            links: vec![Medium { name: evil.into(), ends: None, is_both_ways: true, does: vec![evil.into()] }],
        };
        let drawing = draw(&system, &BTreeMap::new());
        assert!(!drawing.contains("<script") && drawing.matches("</svg>").count() == 1, "{drawing}");
        assert_eq!(draw(&System::default(), &BTreeMap::new()), "");
    }
}
