//! `fripp record` and `fripp report`, as programs. What the page shows is
//! held against other figures by `make check-report`.
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FRIPP: &str = env!("CARGO_BIN_EXE_fripp");

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("fripp-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fripp(args: &[&str]) -> (Output, String) {
    let output = Command::new(FRIPP).args(args).output().unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

/// Records datagrams that a command sends.
fn record(file: &str, datagrams: &[&str]) -> String {
    let send = "for d in \"$@\"; do printf %s \"$d\" >/dev/udp/${FLUX_FRIPP_STATSD/://}; done";
    let command = ["record", "-o", file, "--", "bash", "-c", send, "bash"];
    let (output, said) = fripp(&[&command, datagrams].concat());
    assert!(output.status.success(), "{said}");
    said
}

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

#[test]
fn a_recording_becomes_a_page_and_pictures() {
    let folder = Folder::new("page");
    let (file, page) = (folder.file("run.rec"), folder.file("run.html"));
    // bash makes a datagram of each line
    let lines = ["a.size:5|g", "a.hits:2|c", "no line", "a.took:3|ms", "a.hits:1|c"];
    let said = record(&file, &lines);
    assert!(said.contains("5 lines in 5 datagrams, "), "{said}");
    assert!(said.contains("; 0 dropped by the kernel"), "{said}");

    let (output, said) = fripp(&["report", &file]);
    assert!(output.status.success(), "{said}");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("<dt>Lines</dt><dd>5</dd>"));
    assert!(html.contains("Lines that are not StatsD: 1."));
    assert!(html.contains("&quot;no line&quot;, in datagram 3, at "));
    assert!(!html.contains("{{"));

    let series = folder.file("x.json");
    let (output, said) = fripp(&["report", &file, "-o", &series]);
    assert!(output.status.success(), "{said}");
    let series: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&series).unwrap()).unwrap();
    let metric = |name| {
        let metrics = series["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == name).unwrap()
    };
    let values = |name, statistic: &str| -> Vec<f64> {
        let values = metric(name)["series"][statistic].as_array().unwrap();
        values.iter().filter_map(serde_json::Value::as_f64).collect()
    };
    assert_eq!(values("a.size", "value").last(), Some(&5.0));
    // the recording ends before its first second does, and that is no lower rate
    let hits = values("a.hits", "rate").iter().sum::<f64>() * series["seconds"].as_f64().unwrap();
    assert!((hits - 3.0).abs() < 1e-9, "{hits}");
    assert_eq!(metric("a.took")["type"], "timer");
    let times = series["times"].as_array().unwrap().len();
    assert_eq!((&series["interval"], times), (&1.0.into(), values("a.took", "count/s").len()));

    let csv = folder.file("x.csv");
    let (output, said) = fripp(&["report", &file, "-o", &csv, "--series"]);
    assert!(output.status.success(), "{said}");
    let csv = std::fs::read_to_string(&csv).unwrap();
    assert!(csv.starts_with("time,metric,type,statistic,value\n"), "{csv}");
    assert!(csv.lines().any(|line| line.ends_with(",a.size,gauge,value,5")), "{csv}");
    let (output, said) = fripp(&["report", "--force", &file, "--series"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--series goes with a .csv"), "{said}");

    let (svg, png) = (folder.file("x.svg"), folder.file("x.png"));
    let (output, said) = fripp(&["report", &file, "-o", &svg, "--chart", "hits"]);
    assert!(output.status.success(), "{said}");
    assert!(std::fs::read_to_string(&svg).unwrap().contains("hits"));
    let (output, said) = fripp(&["report", &file, "-o", &png, "--chart", "a.percentiles-of-took"]);
    assert!(output.status.success() || said.contains("no font"), "{said}");

    for (args, wrong) in [
        (&["-o", &png] as &[&str], "a picture has one chart: say --chart with one of\n  a."),
        (&["-o", &png, "--chart", "nothing"], "no chart 'nothing': say --chart with one of"),
        (&["-o", &png, "--chart", "took"], "'took' makes several charts: "),
        (&["-o", "x.jpg"], "x.jpg: a report is an .html, .svg, .png, .csv or .json"),
        (&["--chart", "("], "the pattern '('"),
        (&["--interval", "0"], "not a number of seconds from 0.001 to 86400"),
    ] {
        let (output, said) = fripp(&[&["report", &file], args].concat());
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn top_keeps_what_it_shows_and_a_table_has_whole_figures() {
    let folder = Folder::new("csv");
    let (file, csv) = (folder.file("run.rec"), folder.file("run.csv"));
    let lines = "b.n:2|c\nb.n:3|c\na.took:0.000001|ms\na.took:12345678.000001|ms\na.size:-7|g";
    let send = format!("printf '%s' '{lines}' >/dev/udp/${{FLUX_FRIPP_STATSD/://}}");
    let command = ["top", "-o", &file, "--", "bash", "-c", &send];
    let (output, said) = fripp(&command);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("a.took"));

    let (output, said) = fripp(&["report", &file, "-o", &csv]);
    assert!(output.status.success(), "{said}");
    let (least, mean) = ("0.000001", "6172839.000001");
    let top = "12345678.000001";
    assert_eq!(
        std::fs::read_to_string(&csv).unwrap(),
        format!(
            "metric,type,lines,all,newest,mean,median,p75,p95,p98,p99,p99.9,min,max,sum\n\
             a.size,gauge,1,,-7,,,,,,,,,,\n\
             a.took,timer,2,2,{top},{mean},{least},{top},{top},{top},{top},{top},{least},{top},\
             12345678.000002\n\
             b.n,counter,2,5,,,,,,,,,,,\n"
        )
    );

    let (output, said) = fripp(&command);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("is there already; --force overwrites it"), "{said}");
}

#[test]
fn two_recordings_are_compared() {
    let folder = Folder::new("compare");
    let (before, after) = (folder.file("before.rec"), folder.file("after.rec"));
    record(&before, &["a.size:4|g", "a.took:10|ms", "a.took:20|ms", "gone:1|g"]);
    record(&after, &["a.size:5|g", "a.took:10|ms", "a.took:20|ms"]);
    let compare = |options: &[&str]| {
        let (output, said) = fripp(&[&["report", &before, &after], options].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text, said)
    };
    let (status, text, said) = compare(&[]);
    assert_eq!(status, Some(0), "{said}");
    let row = |name: &str, statistic: &str| {
        let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut rows = text.lines().map(cells);
        rows.find(|row| row.len() > 2 && row[0] == name && row[2] == statistic).unwrap()[3..]
            .to_vec()
    };
    assert_eq!(row("a.size", "mean"), ["4", "5", "+25.0", "%"]);
    assert_eq!(row("a.took", "max"), ["20", "20", "+0.0", "%"]);
    assert_eq!(row("gone", "mean"), ["1", "-", "-"]);

    for (options, wanted) in [
        (&["--chart", "size", "--bound", "25"] as &[&str], 0),
        (&["--chart", "size", "--bound", "24.9"], 1),
        (&["--chart", "gone", "--bound", "1000"], 1),
        (&["--chart", "(", "--bound", "1"], 2),
        (&["-o", "x.svg"], 2),
        (&["-o", &after, "--force"], 2),
        (&["--series"], 2),
    ] {
        let (status, _, said) = compare(options);
        assert_eq!(status, Some(wanted), "{options:?}: {said}");
    }

    let page = folder.file("page.html");
    let (status, text, said) = compare(&["-o", &page, "--bound", "25"]);
    assert_eq!((status, &text[..]), (Some(1), ""), "{said}");
    let html = std::fs::read_to_string(&page).unwrap();
    for part in [
        "<p class=\"said\">mean: 4 before, 5 after: +25.0 %</p>",
        "<p class=\"said\">mean: 1 before, none after</p>",
        "<h2 class=\"side\">before: before</h2>",
        "<td class=\"beyond\">-</td>",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn the_command_s_status_and_a_file_that_is_there() {
    let folder = Folder::new("there");
    let file = folder.file("run.rec");
    let exit = ["--", "sh", "-c", "exit 3"];
    let (output, _) = fripp(&[&["record", "-o", &file], &exit[..]].concat());
    assert_eq!(output.status.code(), Some(3));
    let before = std::fs::read(&file).unwrap();
    let (output, said) = fripp(&[&["record", "-o", &file], &exit[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("is there already; --force overwrites it"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let (output, _) = fripp(&[&["record", "--force", "-o", &file], &exit[..]].concat());
    assert_eq!(output.status.code(), Some(3));
    assert_ne!(std::fs::read(&file).unwrap(), before);

    // what is there stays until there is something to write
    let before = std::fs::read(&file).unwrap();
    for wrong in ["nowhere", "192.0.2.1:8125"] {
        let (output, said) = fripp(&["record", "--force", "-o", &file, wrong]);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
    let csv = folder.file("run.csv");
    std::fs::write(&csv, "mine").unwrap();
    let (output, said) = fripp(&["report", &file, "-o", &csv]);
    assert_eq!((output.status.code(), std::fs::read(&csv).unwrap()), (Some(2), b"mine".to_vec()));
    assert!(said.contains("is there already; --force overwrites it"), "{said}");
    let (output, said) = fripp(&["report", "--force", &file, "-o", &csv]);
    assert!(output.status.success(), "{said}");
    assert!(std::fs::read_to_string(&csv).unwrap().starts_with("metric,type,"));

    let (output, said) = fripp(&["record", "-o", &folder.file("y"), "nowhere"]);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!exists(&folder.file("y")));
}

#[test]
fn a_gauge_of_minus_5_three_times_is_minus_5() {
    let folder = Folder::new("dialect");
    let csv = folder.file("run.csv");
    let newest = |file: &str, options: &[&str]| {
        let report = [&["report", "--force", file, "-o", &csv], options].concat();
        let (output, said) = fripp(&report);
        assert!(output.status.success(), "{said}");
        let csv = std::fs::read_to_string(&csv).unwrap();
        csv.lines().nth(1).unwrap().split(',').nth(4).unwrap().to_owned()
    };
    let send = "for n in 1 2 3; do \"$0\" send g -5 gauge; done";
    for (name, options) in
        [("option", &["-d", "dogstatsd"][..]), ("address", &["127.0.0.1:0?dialect=dogstatsd"])]
    {
        let file = folder.file(name);
        let command = ["--", "sh", "-c", send, FRIPP];
        let (output, said) = fripp(&[&["record", "-o", &file], options, &command[..]].concat());
        assert!(output.status.success(), "{said}");
        assert_eq!(newest(&file, &[]), "-5", "{name}");
        assert_eq!(newest(&file, &["-d", "statsd"]), "-15", "{name}");
    }
}

#[test]
fn damage_is_named_and_the_rest_is_reported() {
    let folder = Folder::new("damage");
    let file = folder.file("run.rec");
    record(&file, &["a.hits:1|c"]);
    let mut bytes = std::fs::read(&file).unwrap();
    // in the first record's body, after the header and its head
    bytes[12 + 13 + 3] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (output, said) = fripp(&["report", &file]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("record 1 at byte 12: its checksum is wrong; "), "{said}");
    let html = std::fs::read_to_string(folder.file("run.html")).unwrap();
    assert!(html.contains("Records that cannot be read: 1."));
    assert!(html.contains("<dt>Lines</dt><dd>1</dd>"));

    std::fs::write(&file, "<!doctype html>").unwrap();
    let (output, said) = fripp(&["report", &file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("not a recording"), "{said}");
}
