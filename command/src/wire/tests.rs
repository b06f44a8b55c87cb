use super::*;
use crate::dialect::Dialect;

fn one(line: &str) -> Line<'_> {
    let mut lines = read(line.as_bytes(), None);
    let read = lines.next().unwrap().unwrap().metric().unwrap();
    assert!(lines.next().is_none(), "{line}");
    read
}

fn fault(line: &str) -> (usize, What) {
    let fault = read(line.as_bytes(), None).find_map(Result::err).expect(line);
    (fault.at, fault.what)
}

fn tags(line: &str) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    one(line).tags.pairs().map(|(key, value)| (text(key), value.map(text))).collect()
}

#[test]
fn types() {
    for (line, kind, value) in [
        ("a:1|c", Kind::Counter, 1.0),
        ("a:12|C", Kind::Total, 12.0),
        ("a:-5|g", Kind::Gauge, -5.0),
        ("a:+5|g", Kind::Gauge, 5.0),
        ("a:0.264|ms", Kind::Timer, 0.264),
        ("a:1e3|h", Kind::Histogram, 1000.0),
        ("a:.5|d", Kind::Histogram, 0.5),
    ] {
        let read = one(line);
        assert_eq!((&*read.name, read.kind, read.rate), (&b"a"[..], kind, 1.0), "{line}");
        assert_eq!(read.numbers().collect::<Vec<_>>(), [value], "{line}");
    }
    let set = one("users:anna|s");
    assert_eq!((set.kind, set.numbers().count()), (Kind::Set, 0));
    assert_eq!(set.values().collect::<Vec<_>>(), [b"anna"]);
}

#[test]
fn rates_and_tags() {
    let read = one("a:1:2:3|ms|@0.25|#k:v:w,l|T1656581400|c:abc");
    assert_eq!(read.rate, 0.25);
    assert_eq!(read.numbers().collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    let some = |text: &str| Some(text.to_owned());
    let want = [("k".to_owned(), some("v:w")), ("l".to_owned(), None)];
    assert_eq!(tags("a:1:2:3|ms|@0.25|#k:v:w,l|T1656581400|c:abc"), want);
    for line in ["a,k=v,l=w:1|c", "a;k=v;l=w:1|c", "a:1|c|#k:v,l:w"] {
        assert_eq!(*one(line).name, *b"a", "{line}");
        assert_eq!(
            tags(line),
            [("k".to_owned(), some("v")), ("l".to_owned(), some("w"))],
            "{line}"
        );
    }
    assert_eq!(*one("a,b:1|c").name, *b"a,b");
}

#[test]
fn packed_as_statsd_does() {
    let read: Vec<_> =
        read(b"a:1|ms|@0.5:2|c:x|s", None).map(|item| item.unwrap().metric().unwrap()).collect();
    let seen: Vec<_> = read.iter().map(|line| (line.kind, line.rate)).collect();
    assert_eq!(seen, [(Kind::Timer, 0.5), (Kind::Counter, 1.0), (Kind::Set, 1.0)]);
    assert!(read.iter().all(|line| *line.name == *b"a"));
    assert_eq!(read[2].values().collect::<Vec<_>>(), [b"x"]);
}

#[test]
fn faults_and_where() {
    for (line, want) in [
        ("", (0, What::EmptyLine)),
        ("a", (1, What::NoColon)),
        (":1|c", (0, What::NoName)),
        (",k=v:1|c", (0, What::NoName)),
        ("a:", (2, What::NoValue)),
        ("a:|c", (2, What::NoValue)),
        ("a:1", (3, What::NoType)),
        ("a:1|", (4, What::NoType)),
        ("a:1|x", (4, What::UnknownType)),
        ("a:1|ms2", (4, What::UnknownType)),
        ("a:1:x|ms", (4, What::NotANumber)),
        ("a:nan|g", (2, What::NotANumber)),
        ("a:inf|g", (2, What::NotANumber)),
        ("a:1e999|g", (2, What::NotANumber)),
        ("a:1,5|g", (2, What::NotANumber)),
        ("a:1|ms:2", (8, What::NoType)),
        ("a:5|g\0", (4, What::UnknownType)),
        ("a:5|g\r", (4, What::UnknownType)),
    ] {
        assert_eq!(fault(line), want, "{line:?}");
    }
    let shown = read(b"a:1|x", None).find_map(Result::err).unwrap().to_string();
    assert_eq!(shown, "an unknown type (byte 5)");
}

#[test]
fn empty_lines_are_passed_over() {
    let split = |text: &'static str| lines(text.as_bytes()).count();
    assert_eq!(
        [split("a"), split("a\n"), split("a\nb\n"), split("\r\na\n\r\nb\r\n")],
        [1, 1, 2, 2]
    );
}

#[test]
fn what_is_lenient_without_a_dialect() {
    let rates = |dialect| {
        ["a:1|c|@x", "a:1|c|@0", "a:1|c|x:y", "a:1|c||@0.5", "a:1|c|Tx"].map(|line| {
            match read(line.as_bytes(), dialect).next().unwrap() {
                Ok(Item::Metric(line)) => Ok(line.rate),
                Ok(_) => panic!(),
                Err(fault) => Err(fault.what),
            }
        })
    };
    let skipped = What::UnknownSection;
    assert_eq!(rates(None), [Ok(1.0), Ok(1.0), Ok(1.0), Ok(0.5), Ok(1.0)]);
    assert_eq!(rates(Some(Dialect::Telegraf)), rates(None));
    let bad = Err(What::BadRate);
    assert_eq!(rates(Some(Dialect::Statsd)), [bad, bad, Err(skipped), Err(skipped), Err(skipped)]);
    assert_eq!(rates(Some(Dialect::Dogstatsd)), [bad, bad, Ok(1.0), Ok(0.5), Err(What::BadTime)]);
}

#[test]
fn events_and_checks() {
    let item = |line| read(line, None).next().unwrap();
    let event = Event { title: b"a|b", text: b"c:d" };
    assert_eq!(item(b"_e{3,3}:a|b|c:d|t:error"), Ok(Item::Event(event)));
    let check = Check { name: b"a", status: 3 };
    assert_eq!(item(b"_sc|a|3|m:x"), Ok(Item::Check(check)));
    let wrong = Err(Fault { at: 0, what: What::BadEvent });
    assert_eq!(item(b"_e{3,3}:a|b|c:de"), wrong);
    assert_eq!(item(b"_e{18446744073709551615,1}:a|b"), wrong);
}
