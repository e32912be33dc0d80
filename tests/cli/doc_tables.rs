//! The generated pages in docs/tables, and the list of findings, equal the code's tables.
//!
//! `WSCHECK_UPDATE_DOCS=1 cargo test --test cli doc_tables` writes them.

use serde_json::Value;
use wscheck::domain::client_test::faults::CLIENT_FAULTS;
use wscheck::domain::client_test::metrics::{CLIENT_METRICS, ClientMetric};
use wscheck::domain::ping::fail_if::{METRICS, Metric};
use wscheck::domain::run::metric::MetricUnit;
use wscheck::output::finding_code::CodeMeaning;
use wscheck::output::finding_codes;

use crate::support::{self, run};

const NOTICE: &str = "<!-- Generated from the code. `WSCHECK_UPDATE_DOCS=1 cargo test --test cli doc_tables` writes \
                      this page. -->\n";

/// Compares a page below docs with its file, or writes the file if `WSCHECK_UPDATE_DOCS` is set.
fn check(page: &str, body: &str) {
    let path = format!("docs/{page}");
    let page = format!("{NOTICE}{body}");
    match std::env::var_os("WSCHECK_UPDATE_DOCS") {
        Some(_) => std::fs::write(support::root().join(&path), page).unwrap(),
        None => assert!(
            support::text(&path) == page,
            "{path} is stale: WSCHECK_UPDATE_DOCS=1 cargo test --test cli doc_tables"
        ),
    }
}

/// A Markdown table.
fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let row =
        |cells: &[String; N]| format!("| {} |\n", cells.each_ref().map(|cell| escaped(cell)).join(" | "));
    let head = row(&header.map(str::to_string)) + &format!("|{}\n", "---|".repeat(N));
    head + &rows.into_iter().map(|cells| row(&cells)).collect::<String>()
}

/// Escapes a pipe, which would end a cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Text as code; empty text stays empty.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// Output of a command.
fn stdout(args: &[&str]) -> String {
    let ran = run(args);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

#[test]
fn presets_page_is_current() {
    let presets = json(&["presets", "-o", "json"])["presets"].as_array().unwrap().clone();
    let starter = |preset: &Value| match preset["starts"].as_str() {
        Some("frames") => "Ping frames only".to_string(),
        _ => text(&preset["starts"]),
    };
    let verified = |preset: &Value| match preset["verified"].as_str() {
        Some("from_source") => "source code or documentation".to_string(),
        _ => text(&preset["verified"]),
    };
    let rows = presets.iter().map(|preset| {
        [code(&text(&preset["name"])), text(&preset["title"]), starter(preset), verified(preset)]
    });
    let mut page = format!(
        "# Presets\n\nA preset makes wscheck speak as a known service or library does. [Heartbeats of real \
         services](../app-heartbeats.md) explains how to use one. `wscheck presets` prints this list.\n\n\
         *Heartbeat starts with* names the end that sends first. With *Ping frames only* no message is a \
         heartbeat. *Live* means that tests drive a real server with the preset. *From source or docs* means that \
         its source or documentation was read, and that tests check its wire text.\n\n{}",
        table(["preset", "what it is", "heartbeat starts with", "verified"], rows)
    );
    page += "\n## Each preset in full\n\n`wscheck presets NAME` prints the same.\n";
    for preset in &presets {
        let name = text(&preset["name"]);
        page += &format!("\n### {name}\n\n```text\n{}```\n", stdout(&["presets", &name]));
    }
    check("tables/presets.md", &page);
}

#[test]
fn timers_page_is_current() {
    let mut page =
        "# Timers\n\nThese timers of proxies, clouds, NATs and servers end WebSocket connections, or are \
                    often suspected of it. `wscheck timeouts` prints this list.\n"
            .to_string();
    let overview = stdout(&["timeouts"]);
    for section in overview.split_inclusive("\n\n").filter(|section| section.contains("product ")) {
        page += &overview_table(section);
    }
    page +=
        "\n[Products](../products/README.md) has each timer in full, with its sources and what to change.\n";
    check("tables/timers.md", &page);
}

/// A heading and its table in Markdown. Column names mark where columns start.
fn overview_table(section: &str) -> String {
    const HEADER: [&str; 5] = ["product", "setting", "default", "what resets it", "how it cuts"];
    let mut lines = section.trim_start().lines();
    let (heading, header) = (lines.next().unwrap(), lines.next().unwrap());
    let starts = HEADER.map(|name| header.find(name).unwrap());
    let cells = |line: &str| {
        let chars: Vec<char> = line.chars().collect();
        let end = |column: usize| starts.get(column + 1).map_or(chars.len(), |next| *next).min(chars.len());
        std::array::from_fn(|column| {
            let start = starts[column].min(chars.len());
            chars[start..end(column)].iter().collect::<String>().trim().to_string()
        })
    };
    let rows = lines.skip(1).take_while(|line| !line.is_empty() && line.contains("  ")).map(cells);
    format!("\n## {heading}\n\n{}", table(HEADER, rows))
}

/// Ids and names of the products, in the order of the catalogue.
fn products() -> Vec<(String, String)> {
    let products = json(&["products", "-o", "json"])["products"].as_array().unwrap().clone();
    products.iter().map(|product| (text(&product["id"]), text(&product["name"]))).collect()
}

#[test]
fn page_of_each_product_is_current() {
    for (id, _) in products() {
        check(&format!("products/{id}.md"), &product_page(&stdout(&["products", &id])));
    }
}

/// How wide the first column of what `wscheck products ID` prints is.
const LABEL_COLUMN: usize = 13;

/// What `wscheck products ID` prints, as Markdown: a heading and a table for each part.
fn product_page(printed: &str) -> String {
    let parts = printed.split("\n\n").enumerate().map(|(number, part)| {
        let (title, fields) = part.trim_end().split_once('\n').unwrap();
        let level = if number == 0 { "#" } else { "##" };
        let cells = |line: &str| {
            let (name, value) = line.split_at(LABEL_COLUMN);
            [prose(name.trim()), prose(value.trim())]
        };
        format!("{level} {}\n\n{}", prose(title), table(["", ""], fields.lines().map(cells)))
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// Text in which nothing is markup.
fn prose(text: &str) -> String {
    let escaped = |c: char| match c {
        '<' => "&lt;".to_string(),
        '*' | '_' | '`' | '[' | ']' | '\\' => format!("\\{c}"),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

#[test]
fn list_of_products_is_current() {
    let rows = products().into_iter().map(|(id, name)| [format!("[{name}]({id}.md)"), code(&id)]);
    let page = format!(
        "# Products\n\nA page for each product and service that wscheck knows: its timers and what to change, its \
         heartbeats, and how it treats clients that do not answer, each with its source. [`wscheck \
         products`](../commands/products.md) prints the same, [Timers](../tables/timers.md) compares the \
         timers.\n\n{}",
        table(["product", "id"], rows)
    );
    check("products/README.md", &page);
}

#[test]
fn every_product_is_in_the_summary() {
    let expected: String =
        products().into_iter().map(|(id, name)| format!("  - [{name}](products/{id}.md)\n")).collect();
    let summary = support::text("docs/SUMMARY.md");
    assert!(summary.contains(&expected), "docs/SUMMARY.md lacks a product:\n{expected}");
}

#[test]
fn metrics_page_is_current() {
    let unit = |metric: &Metric| match metric.unit {
        MetricUnit::Time => "a time: `200ms`",
        MetricUnit::Share => "a share: `1%` or `0.01`",
        MetricUnit::Count => "a whole number",
        MetricUnit::Days => "whole days",
    };
    let row = |metric: &Metric| [code(metric.name), unit(metric).to_string(), metric.meaning.to_string()];
    let header = ["metric", "limit", "meaning"];
    let (of_heartbeats, others): (Vec<_>, Vec<_>) = METRICS.iter().partition(|metric| metric.is_heartbeats());
    let page = format!(
        "# Metrics of --fail-if\n\n[Gates](../gates.md) explains the expressions.\n\n## Metrics of heartbeats\n\nWrite \
         `app.` or `protocol.` before one of these to choose the kind of heartbeat. Without a prefix, a metric is \
         that of the protocol heartbeats, or of the app heartbeats if the run has no others.\n\n{}\n## Metrics of \
         connections and of the run\n\n{}",
        table(header, of_heartbeats.into_iter().map(row)),
        table(header, others.into_iter().map(row)),
    );
    check("tables/metrics.md", &page);
}

#[test]
fn client_tests_page_is_current() {
    let limit = |metric: &ClientMetric| match metric.unit {
        MetricUnit::Time => "a time: `2s`",
        MetricUnit::Share => "a share: `90%` or `0.9`",
        MetricUnit::Count => "a whole number",
        MetricUnit::Days => "whole days",
    };
    let metrics = CLIENT_METRICS
        .iter()
        .map(|metric| [code(metric.name), limit(metric).to_string(), metric.meaning.to_string()]);
    let faults = CLIENT_FAULTS.iter().map(|fault| {
        let criteria = fault.criteria(&[]);
        let criteria = criteria.iter().map(|demand| code(&demand.expectation.to_string()));
        [code(fault.name), fault.meaning_after("T"), criteria.collect::<Vec<_>>().join(", ")]
    });
    let page = format!(
        "# Faults and metrics of clients\n\n## Faults of test-client\n\n[test-client](../commands/test-client.md) \
         explains them. T is `--after`.\n\n{}\n## Metrics of --expect\n\n`wscheck serve` and `wscheck test-client` \
         judge clients by these. The operators are `>`, `>=`, `<`, `<=`, `==` and `!=`.\n\n{}",
        table(["fault", "what the server does", "what is expected of the client"], faults),
        table(["metric", "limit", "meaning"], metrics),
    );
    check("tables/client-tests.md", &page);
}

#[test]
fn faults_page_is_current() {
    let list = stdout(&["serve", "--list-faults"]);
    let rows = list.lines().map(|line| {
        let (flag, meaning) = line.split_once("  ").unwrap_or_else(|| panic!("no columns: {line}"));
        [code(flag.trim()), meaning.trim().to_string()]
    });
    let page = format!(
        "# Faults of wscheck serve\n\n`wscheck serve --list-faults` prints this list. [serve](../commands/serve.md) \
         shows how to use it.\n\n{}",
        table(["fault", "what the server does"], rows)
    );
    check("tables/faults.md", &page);
}

#[test]
fn findings_page_is_current() {
    let row = |finding: &CodeMeaning| {
        let code = finding.code;
        [command_link(finding.command), format!("[`{code}`]({code}.md)"), one_line(finding.meaning)]
    };
    let page = format!(
        "# Findings\n\nA finding is one thing that a run shows. It has a code, a severity (`ok`, `info`, `warning` or \
         `problem`), a message, its evidence as data and, where something can be done, a remedy. The report lists the \
         most severe findings first; in [JSON](../json.md) they are in `findings`. Codes do not change.\n\n{}",
        table(["command", "code", "meaning"], finding_codes().iter().map(row))
    );
    check("findings/README.md", &page);
}

fn command_link(command: &str) -> String {
    format!("[{command}](../commands/{command}.md)")
}

#[test]
fn every_finding_has_a_page() {
    for finding in finding_codes() {
        let page = support::text(&format!("docs/findings/{}.md", finding.code));
        assert!(page.starts_with(&format!("# {}\n", finding.code)), "{page}");
        let parts = ["**How wscheck concludes it.**", "**What to do.**"];
        let missing: Vec<_> = parts.iter().filter(|part| !page.contains(**part)).collect();
        assert!(missing.is_empty(), "docs/findings/{}.md lacks {missing:?}", finding.code);
        assert!(!finding.meaning.is_empty(), "{} has no meaning", finding.code);
    }
}

#[test]
fn json_page_is_current() {
    let schema = json(&["schema"]);
    let mut page = format!(
        "# JSON fields\n\n[JSON](../json.md) explains the documents and shows how to read them. `wscheck schema` prints \
         the JSON Schema that this page is made from.\n\n{}\n",
        text(&schema["description"])
    );
    page += "\n## Documents and events\n";
    for shape in schema["anyOf"].as_array().unwrap() {
        let name = shape["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        page += &fields(&text(&shape["title"]), &schema["$defs"][name], &schema);
    }
    page += "\n## Parts\n";
    let top: Vec<&str> =
        schema["anyOf"].as_array().unwrap().iter().filter_map(|shape| shape["$ref"].as_str()).collect();
    for (name, part) in schema["$defs"].as_object().unwrap() {
        let is_top = top.iter().any(|reference| reference.ends_with(&format!("/{name}")));
        if !is_top && part.get("properties").is_some() {
            page += &fields(name, part, &schema);
        }
    }
    check("tables/json.md", &page);
}

/// A heading, the description and the fields of an object.
fn fields(title: &str, object: &Value, schema: &Value) -> String {
    let properties = object["properties"].as_object();
    let rows = properties.into_iter().flatten().map(|(name, field)| {
        let mut meaning = text(&field["description"]);
        let part = field["$ref"].as_str().and_then(|path| schema.pointer(path.trim_start_matches('#')));
        if let (true, Some(part)) = (meaning.is_empty(), part.filter(|part| part.get("properties").is_none()))
        {
            meaning = text(&part["description"]);
        }
        [code(name), value_type(field, schema), one_line(&meaning)]
    });
    let description = one_line(&text(&object["description"]));
    let description = if description.is_empty() { description } else { format!("{description}\n\n") };
    format!("\n### {title}\n\n{description}{}", table(["field", "type", "meaning"], rows))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('<', "&lt;")
}

/// The type of a field: `integer or null`, `list of Connection`.
fn value_type(field: &Value, schema: &Value) -> String {
    if let Some(path) = field["$ref"].as_str() {
        let part = schema.pointer(path.trim_start_matches('#')).unwrap();
        let shapes = schema["anyOf"].as_array().unwrap();
        let title = shapes.iter().find(|shape| shape["$ref"] == path).map(|shape| text(&shape["title"]));
        let name = title.unwrap_or_else(|| path.rsplit('/').next().unwrap().to_string());
        let is_object = part.get("properties").is_some();
        return if is_object {
            format!("[{name}](#{})", name.to_lowercase().replace(' ', "-").replace(':', ""))
        } else {
            value_type(part, schema)
        };
    }
    if let Some(constant) = field.get("const") {
        return code(&constant.to_string().replace('"', ""));
    }
    if let Some(values) = field["enum"].as_array() {
        return values.iter().map(|value| code(&text(value))).collect::<Vec<_>>().join(", ");
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = field[key].as_array() {
            let is_null = |choice: &&Value| choice["type"] == "null";
            let names =
                choices.iter().filter(|choice| !is_null(choice)).map(|choice| value_type(choice, schema));
            let names = names.collect::<Vec<_>>().join(", ");
            return if choices.iter().any(|choice| is_null(&choice)) {
                format!("{names} or null")
            } else {
                names
            };
        }
    }
    match &field["type"] {
        Value::Array(kinds) => {
            let others = kinds.iter().filter(|kind| **kind != "null");
            let mut single = field.clone();
            let names = others.map(|kind| {
                single["type"] = kind.clone();
                value_type(&single, schema)
            });
            let names = names.collect::<Vec<_>>().join(" or ");
            if kinds.iter().any(|kind| kind == "null") { format!("{names} or null") } else { names }
        }
        Value::String(kind) if kind == "array" => format!("list of {}", value_type(&field["items"], schema)),
        Value::String(kind) => kind.clone(),
        _ => "any".to_string(),
    }
}
