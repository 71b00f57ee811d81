use super::*;
use crate::report::plot::tests::read;
use crate::report::story::fixture::{Fixture, HOSTILE, endless, retried};

fn picture(fixture: &Fixture) -> Vec<u8> {
    diagram(&fixture.told(), &Origin { title: HOSTILE[0], variant: Some(HOSTILE[1]), played: "seed 1 · run 0".into() })
}

#[test]
fn a_picture_is_xml_whatever_names_there_are() {
    for fixture in [retried(["shoppers", "api", "store"]), retried(HOSTILE), endless()] {
        let bytes = picture(&fixture);
        let (names, words) = read(&bytes);
        assert!(names.iter().all(|name| ["svg", "rect", "polyline", "polygon", "text"].contains(&name.as_str())));
        assert!(words.contains("seed 1") && words.contains("the slowest"), "{words}");
        assert!(!words.chars().any(|c| ('\u{202a}'..='\u{2069}').contains(&c)));
        assert_eq!(bytes, picture(&fixture), "the same bytes each time");
    }
}

#[test]
fn a_picture_says_what_happened() {
    let (_, words) = read(&picture(&retried(["shoppers", "api", "store"])));
    for word in [
        "due",
        "attempt 1",
        "loss",
        "timed out",
        "back-off 20ms",
        "attempt 2",
        "work 20ms",
        "(1) api->store",
        "confirmed",
    ] {
        assert!(words.contains(word), "{word}: {words}");
    }
}

#[test]
fn long_stories_with_many_nodes_have_room() {
    let bytes = picture(&endless());
    let (_, words) = read(&bytes);
    assert!(words.contains("30 others") && words.contains("moments left out"), "{words}");
    assert!(bytes.len() < 300_000, "{}", bytes.len());
    let text = std::str::from_utf8(&bytes).expect("SVG is text");
    for points in text.split("points=\"").skip(1).map(|rest| rest.split('"').next().expect("it ends")) {
        for point in points.split_whitespace() {
            let (x, y) = point.split_once(',').expect("two numbers");
            assert!((0..1_920).contains(&x.parse::<i32>().expect("whole")), "{point}");
            assert!((0..9_000).contains(&y.parse::<i32>().expect("whole")), "{point}");
        }
    }
}
