//! Scratch.
use rehearsal::scenario::{Overrides, Scenario, Style};
struct Disk;
impl rehearsal::scenario::Source for Disk {
    fn read(&self, path: &std::path::Path) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }
}
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let overrides = Overrides { sets: std::env::args().skip(2).collect(), ..Default::default() };
    let loaded = Scenario::load(&Disk, path.as_ref(), &overrides).unwrap_or_else(|m| {
        println!("{}", m.render(Style::Plain));
        std::process::exit(2)
    });
    let plan = rehearsal::scenario::plan::Plan::new(loaded).unwrap_or_else(|m| {
        println!("{}", m.render(Style::Plain));
        std::process::exit(2)
    });
    let results = rehearsal::experiment::run(&plan, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    println!("{}", rehearsal::report::Report::from(&results));
}
