//! `explain`: what a key or a name means.

use clap::ValueEnum;
use rehearsal::scenario::reference::Reference;

use super::args::Explain;
use super::catalogue::Kind;
use super::exit::Exit;
use super::terminal::Terminal;

/// No line of prose is longer.
const WIDTH: usize = 100;

/// Prints everything that has this name.
pub fn explain(terminal: Terminal, args: &Explain) -> Exit {
    match meaning(&args.name) {
        Ok(text) => terminal.say(text),
        Err(message) => {
            terminal.complain(&message);
            Exit::Wrong
        }
    }
}

/// Everything that has this name: keys of scenarios first, then what stands in a registry.
fn meaning(name: &str) -> Result<String, String> {
    let known = Reference::new();
    // What stands in these tables is explained where the table is.
    let name = match name.split_once('.') {
        Some((table @ ("sweep" | "variants" | "params"), _)) => table,
        _ => name,
    };
    let reference = known.explain(name);
    let found = Kind::value_variants().iter().flat_map(|kind| kind.items().into_iter().map(|item| (*kind, item)));
    // The reference explains metrics itself.
    let found: Vec<_> = found.filter(|(kind, _)| *kind != Kind::Metrics).collect();
    let mut texts: Vec<_> = reference.iter().map(|text| wrap(text)).collect();
    for (kind, item) in found.iter().filter(|(_, item)| item.name == name) {
        let more = if item.more.is_empty() { String::new() } else { format!("\n{}", wrap(&item.more)) };
        let summary = wrap(&format!("{}\n", item.summary));
        texts.push(format!("{name}, {} ({})\n\n{summary}{more}", kind.one(), kind.place()));
    }
    match reference {
        _ if !texts.is_empty() => Ok(texts.join("\n")),
        Err(_) => {
            let names: Vec<_> = found.iter().map(|(_, item)| item.name).collect();
            let advice = known.advice(name, &names);
            let advice = advice.unwrap_or_else(|| {
                "`rehearsal list` shows the names that scenarios can use, `rehearsal help` the commands".into()
            });
            Err(format!("nothing is called `{name}`; {advice}"))
        }
        Ok(_) => unreachable!("what the reference knows is a text"),
    }
}

/// Breaks long lines between words.
fn wrap(text: &str) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let mut room = WIDTH;
        for (index, word) in line.split(' ').enumerate() {
            let length = word.chars().count();
            if index > 0 && length + 1 > room {
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent));
                room = WIDTH - indent;
            } else if index > 0 {
                wrapped.push(' ');
                room -= 1;
            }
            wrapped.push_str(word);
            room = room.saturating_sub(length);
        }
        wrapped.push('\n');
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use rehearsal::metrics::Fate;
    use rehearsal::process::{GuardFact, TurnedAway};

    use super::*;

    #[test]
    fn keys_and_names_are_explained() {
        assert!(meaning("policies.backoff").unwrap().starts_with("policies.NAME.backoff: backoff"));
        let lognormal = meaning("lognormal").unwrap();
        assert!(lognormal.contains("a distribution") && lognormal.contains("Source:"), "{lognormal}");
        let exponential = meaning("exponential").unwrap();
        assert!(exponential.contains("a distribution") && exponential.contains("a backoff"), "{exponential}");
        assert!(meaning("p50").is_ok() && meaning("latency-all").is_ok());
        assert!(meaning("sweep.design").unwrap().contains("latin-hypercube"));
        // Every fate, and everything that guards and doors do.
        let fates = Fate::ALL.iter().map(|fate| fate.name());
        let facts = GuardFact::ALL.iter().map(|fact| fact.name());
        let causes = TurnedAway::ALL.iter().map(|why| why.name());
        let listed: Vec<_> = Kind::Metrics.items().into_iter().map(|item| item.name).collect();
        for name in fates.chain(facts).chain(causes) {
            assert!(meaning(name).unwrap().contains("a metric") && listed.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        assert!(meaning("two-choice").unwrap_err().ends_with("did you mean `two-choices`?"));
        assert!(meaning("zzzzzzzz").unwrap_err().contains("rehearsal list"));
        assert!(meaning("breaker").unwrap_err().contains("`circuit-breaker`"));
        assert!(meaning("arrival").unwrap_err().ends_with("did you mean `arrivals`?"));
    }

    #[test]
    fn prose_is_wrapped_and_tables_keep_their_indent() {
        let long = format!("  {}\n", "word ".repeat(40).trim_end());
        let wrapped = wrap(&long);
        assert!(wrapped.lines().all(|line| line.chars().count() <= WIDTH && line.starts_with("  word")), "{wrapped}");
        assert_eq!(wrapped.split_whitespace().count(), 40);
    }
}
