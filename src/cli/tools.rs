//! `rolecall tools`: what is on offer.

use std::{io::Write as _, process::ExitCode};

use super::{Ended, Output, output};
use crate::{
    app::App,
    catalog::Offer,
    config::{Config, Overrides, Reach},
    server::mcp_tools,
};

/// Bytes for a hundred tokens of the o200k vocabulary, as measured over the whole list and held by a test.
/// The vocabulary itself would make this program half as large again.
const BYTES_PER_HUNDRED_TOKENS: usize = 447;

/// List the tools on offer.
#[derive(Debug, clap::Args)]
pub struct Tools {
    /// Print the tools as JSON, as clients receive them
    #[arg(long)]
    json: bool,
    /// Estimate the tokens that the tool list costs a model
    #[arg(long, conflicts_with = "json")]
    tokens: bool,
    #[command(flatten)]
    output: Output,
}

impl Tools {
    /// Lists the tools.
    pub fn run(&self, overrides: &Overrides) -> Ended {
        let config = Config::load(overrides)?;
        let app = App::new(config.setup(Reach::Local));
        let mut out = anstream::stdout().lock();
        let tools = mcp_tools(&app, config.list);
        if self.json {
            output::json(&mut out, &serde_json::json!({ "tools": tools }))?;
        } else if self.tokens {
            // What hosts hand to the model of a tool.
            let for_the_model = |it: &serde_json::Value| {
                serde_json::json!({ "name": it["name"], "description": it["description"], "inputSchema": it["inputSchema"] }).to_string()
            };
            let listed: Vec<serde_json::Value> = tools.iter().filter_map(|it| serde_json::to_value(it).ok()).collect();
            let mut sizes: Vec<(usize, &str)> =
                listed.iter().map(|it| (for_the_model(it).len(), it["name"].as_str().unwrap_or_default())).collect();
            sizes.sort_by(|a, b| b.cmp(a));
            let (all, bytes) = (sizes.len(), sizes.iter().map(|it| it.0).sum::<usize>());
            let row = |(bytes, name): (usize, &str)| vec![name.to_owned(), bytes.to_string(), format!("~{}", estimate(bytes))];
            output::table(&mut out, &["tool", "bytes", "tokens"], sizes.into_iter().map(row).collect(), output::Width::of_terminal())?;
            let each = estimate(bytes) / all.max(1);
            writeln!(
                out,
                "\n{all} tools: about {} tokens of a model's context in all, {each} a tool, estimated from {bytes} bytes of names, descriptions and inputs.",
                estimate(bytes)
            )?;
        } else {
            let row = |it: &Offer| vec![it.tool.name.to_owned(), it.tool.effect.name().to_owned(), it.tool.description()];
            if !self.output.is_table() {
                let view = |it: &Offer| serde_json::json!({ "tool": it.tool.name, "effect": it.tool.effect, "description": it.tool.description() });
                self.output.data(&mut out, &app.catalog.offers().map(view).collect::<Vec<_>>())?;
                return Ok(ExitCode::SUCCESS);
            }
            self.output.table(&mut out, &["tool", "effect", "description"], app.catalog.offers().map(row))?;
            writeln!(anstream::stderr(), "\n{} tools. Arguments of one: rolecall call TOOL --help", app.catalog.offers().count())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn estimate(bytes: usize) -> usize {
    bytes * 100 / BYTES_PER_HUNDRED_TOKENS
}
