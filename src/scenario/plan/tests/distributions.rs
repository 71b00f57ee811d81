use super::*;

fn work(spec: &str) -> (Loaded, Result<Distribution, Diagnostic>) {
    let loaded = loaded(&format!("[services.s]\nwork = {spec}\n"));
    let built = times(loaded.scenario.services.get("s").unwrap().step.work.as_ref().unwrap());
    (loaded, built)
}

fn size(spec: &str) -> (Loaded, Result<Distribution, Diagnostic>) {
    let loaded = loaded(&format!("[services.s]\nwork = \"1ms\"\nreply-size = {spec}\n"));
    let built = sizes(loaded.scenario.services.get("s").unwrap().reply_size.as_ref().unwrap());
    (loaded, built)
}

#[test]
fn every_spelling_of_every_family_is_read_as_that_family() {
    for family in FAMILIES {
        for spelling in family.spellings {
            let (loaded, built) = work(spelling);
            let built = built.unwrap_or_else(|mistake| panic!("{}", rendered(&loaded, &[mistake])));
            assert_eq!(built.family().name, family.name, "{spelling}");
        }
    }
}

#[test]
fn the_parameters_are_those_that_are_written() {
    let built = |spec| work(spec).1.unwrap();
    let of = |built: Result<Distribution, _>| built.unwrap();
    assert_eq!(built("\"5ms\""), ms(5).into());
    assert_eq!(built("{ uniform = [\"1ms\", \"3ms\"] }"), of(Distribution::uniform(ms(1), ms(3))));
    assert_eq!(built("{ normal = { mean = \"3ms\", sd = \"1ms\" } }"), of(Distribution::normal(ms(3), ms(1))));
    assert_eq!(
        built("{ lognormal = { mean = \"3ms\", sd = \"1ms\" } }"),
        of(Distribution::lognormal_of_mean(ms(3), ms(1)))
    );
    assert_eq!(built("{ gamma = { shape = 0.5, mean = \"1s\" } }"), of(Distribution::gamma(0.5, secs(1))));
    assert_eq!(built("{ weibull = { shape = 2, mean = \"1s\" } }"), of(Distribution::weibull_of_mean(2.0, secs(1))));
    assert_eq!(built("{ weibull = { shape = 2, scale = \"1s\" } }"), of(Distribution::weibull(2.0, secs(1))));
    assert_eq!(built("{ samples = \"../dir/latencies.csv\" }"), of(Distribution::from_csv(LATENCIES.as_bytes())));
    assert_eq!(built("{ quantiles = \"percentiles.csv\" }"), of(Distribution::from_csv(PERCENTILES.as_bytes())));
}

#[test]
fn sizes_are_distributions_of_bytes() {
    let (one, four) = (Span::from_nanos(1_000), Span::from_nanos(4_096));
    assert_eq!(size("\"4KiB\"").1, Ok(four.into()));
    assert_eq!(size("{ uniform = [\"1kB\", \"4KiB\"] }").1, Ok(Distribution::uniform(one, four).unwrap()));
    let samples = Distribution::samples(vec![Span::from_nanos(500), four]).unwrap();
    assert_eq!(size("{ samples = \"sizes.csv\" }").1, Ok(samples));
}

#[test]
fn what_a_family_does_not_accept_is_said_at_its_place() {
    let refused = |(loaded, built): (Loaded, Result<_, _>)| places(&loaded, &[built.unwrap_err()]).remove(0);
    for (spec, column, said) in [
        ("{ exponential = \"0s\" }", 8, "exponential: mean is 0s, it must be longer than zero"),
        (
            "{ lognormal = { median = \"2ms\", p99 = \"1ms\" } }",
            8,
            "lognormal: p99 is 1ms, it must exceed the median, 2ms",
        ),
        (
            "{ mixture = [[1, \"1ms\"], [1, { exponential = \"0s\" }]] }",
            37,
            "exponential: mean is 0s, it must be longer",
        ),
        ("{ mixture = [] }", 8, "mixture: no component"),
        ("{ pareto = { min = \"1ms\", shape = 1e9 } }", 8, "pareto: shape is 1000000000, it must lie between"),
        ("{ samples = \"percentiles.csv\" }", 8, "`samples`: `dir/percentiles.csv` has two columns"),
        ("{ quantiles = \"latencies.csv\" }", 8, "`quantiles`: `dir/latencies.csv` has one column"),
        ("{ samples = \"broken.csv\" }", 8, "`dir/broken.csv`, line 3: \"fast\" is not a duration"),
    ] {
        let (line, at, message) = refused(work(spec));
        assert_eq!((line, at), (3, column), "{message}");
        assert!(message.starts_with(said), "{message}");
    }
    let spec = "{ lognormal = { median = \"4KiB\", p99 = \"2KiB\" } }";
    assert_eq!(refused(size(spec)), (4, 14, "lognormal: p99 is 2KiB, it must exceed the median, 4KiB".into()));
    let (.., message) = refused(size("{ exponential = \"0B\" }"));
    assert_eq!(message, "exponential: mean is 0B, it must be larger than zero");
}

#[test]
fn keys_that_do_not_belong_together_are_refused_when_read() {
    let (_, said) = unloadable(
        "run.duration = \"1s\"\n[services.s]\nwork = { lognormal = { median = \"1ms\", sd = \"2ms\" } }\n\
         sleep = { weibull = { shape = 2 } }\n",
    );
    assert_eq!(
        said,
        "\
error: `lognormal` takes `median` and `p99`, or `mean` and `sd`; found `median`, `sd`
 --> dir/s.toml:3:8
  |
3 | work = { lognormal = { median = \"1ms\", sd = \"2ms\" } }
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: `weibull` takes `shape` and `scale`, or `shape` and `mean`; found `shape`
 --> dir/s.toml:4:9
  |
4 | sleep = { weibull = { shape = 2 } }
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^"
    );
}

#[test]
fn a_file_that_is_missing_is_shown_where_it_is_named() {
    let (severities, said) = unloadable(
        "run.duration = \"1s\"\n[params]\nwork = { samples = \"lost.csv\" }\n[services.s]\nwork = \"$work\"\n\
         [services.t]\nwork = { quantiles = 3 }\n",
    );
    assert_eq!(severities, [Severity::Unreadable, Severity::Error]);
    assert_eq!(
        said,
        "\
error: cannot read `dir/lost.csv`: no such file
 --> dir/s.toml:3:20
  |
3 | work = { samples = \"lost.csv\" }
  |                    ^^^^^^^^^^

error: expected the name of a file, found the number 3
 --> dir/s.toml:7:22
  |
7 | work = { quantiles = 3 }
  |                      ^"
    );
}

#[test]
fn a_flag_names_a_file_from_where_it_is_typed() {
    let text = "run.duration = \"1s\"\n[services.s]\nwork = \"1ms\"\n";
    let sets = |path: &str| Overrides {
        sets: vec![format!("services.s.work={{ samples = \"{path}\" }}")],
        ..Overrides::default()
    };
    let load = |path| Scenario::load(&source(text), Path::new("dir/s.toml"), &sets(path));
    assert!(load("dir/latencies.csv").is_ok());
    let said = load("latencies.csv").unwrap_err().render(Style::Plain);
    assert!(said.starts_with("error: cannot read `latencies.csv`: no such file\n --> command line:1:"), "{said}");
}
