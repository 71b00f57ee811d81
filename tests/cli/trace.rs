//! Stories of single messages as a user meets them.

use crate::home::{Home, names};

#[test]
fn a_trace_tells_of_the_slowest_message() {
    let home = Home::new();
    let ended = home.run(&["trace", "good.toml"]).with(0);
    assert!(ended.out.starts_with("app[0]#") && ended.out.contains("the slowest of "), "{}", ended.out);
    assert!(ended.out.contains("\nWhere ") && ended.out.contains("a worker is on it"), "{}", ended.out);
    assert_eq!(ended.err, "", "nobody watches");
    let json = home.run(&["trace", "good.toml", "--slowest", "3", "--format", "json"]).with(0).json();
    assert_eq!(json["stories"].as_array().map(Vec::len), Some(3));
    let named = home.run(&["trace", "good.toml", "--message", "app[0]#7"]).with(0);
    assert_eq!(
        home.run(&["trace", "good.toml", "--message", "7"]).with(0).out.lines().next(),
        named.out.lines().next()
    );
    let lost = home.run(&["trace", "good.toml", "--lost", "3"]).with(0);
    assert!(lost.out.starts_with("all ") && lost.out.ends_with(" messages ended well\n"), "{}", lost.out);
    let picture = home.run(&["trace", "good.toml", "--percentile", "99", "--format", "svg"]).with(0);
    assert!(picture.out.starts_with("<svg "), "{}", picture.out);
    assert_eq!(home.names(), ["good.toml"]);
}

#[test]
fn a_trace_writes_texts_and_pictures() {
    let home = Home::new();
    home.run(&["trace", "good.toml", "--slowest", "2", "-o", "out"]).with(0);
    assert_eq!(names(&home.path("out")), ["stories", "stories.json"]);
    let files = names(&home.path("out/stories"));
    assert_eq!(files.len(), 4, "{files:?}");
    assert!(files[0].starts_with("1-app-0-") && files[0].ends_with(".svg") && files[1].ends_with(".txt"), "{files:?}");
    home.run(&["trace", "good.toml", "-o", "out"]).with(4);
    home.run(&["trace", "good.toml", "-o", "out", "--force"]).with(0);
    assert_eq!(names(&home.path("out/stories")).len(), 2);
}

#[test]
fn what_cannot_be_traced_is_2() {
    let home = Home::new();
    for (args, says) in [
        (&["--flow", "ap"][..], "did you mean `app`?"),
        (&["--message", "99999"], "there is no message 99999"),
        (&["--message", "api[0]#3"], "there is no message `api[0]#3`"),
        (&["--lost", "1", "--format", "svg"], "ended well"),
        (&["--lost", "0"], "from 1 to"),
        (&["--percentile", "101"], "above 0 and up to 100"),
        (&["--percentile", "nan"], "above 0 and up to 100"),
        (&["--run", "7"], "there is no run 7"),
        (&["--slowest", "2", "--format", "svg"], "one story"),
        (&["--slowest", "2", "--lost", "2"], "cannot be used with"),
    ] {
        let ended = home.run(&[&["trace", "good.toml"], args].concat()).with(2);
        assert!(ended.err.contains(says), "{args:?}: {}", ended.err);
        assert_eq!(ended.out, "", "{args:?}");
    }
}
