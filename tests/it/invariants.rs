//! What the compiler holds is held by a few words in the sources. Whoever takes one of them away is to notice.

/// The source text of a part, in one line.
fn source(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
    std::fs::read_to_string(path).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn only_the_guard_makes_permits_and_sends() {
    let unsent = source("guard/unsent.rs");
    for held in [
        "impl Permit { pub(super) fn new(call_id: &str)",
        "pub(super) fn together(call_id: &str, together: Together)",
        " fn with(call_id: &str, row: Option<RowIntent>, together: Option<Together>)",
        "pub(super) fn of_row(call_id: &str, row: RowIntent)",
        "#[cfg(test)] pub(crate) fn for_tests(",
        // Of a read; of a change that is not planned; of one that is.
        "impl UnsentRead { pub(crate) fn new(future: impl Future<Output = Result<Value, ProviderError>> + Send + 'static) -> Self { Self(Box::pin(future)) } pub(super) async fn send(self)",
        "pub(super) async fn plan(self) -> Result<Planned, ProviderError>",
        "pub(super) struct Unsent",
        "pub(super) fn weighed(self, destroys: bool, trust: &Trust) -> Unsent",
        "pub(super) async fn send(self, permit: Permit) -> Sent",
    ] {
        assert!(unsent.contains(held), "`{held}` is gone: who else can send now?");
    }
    assert!(!unsent.contains("impl Clone for Permitted") && !unsent.contains("impl Default for Permit"));
    // The two ways out: no request and no transaction before the intent is recorded.
    for (file, held) in [
        ("providers/http/exchange.rs", "if let Some(permit) = permit { permit.leave().await?; }"),
        (
            "providers/local/mod.rs",
            "async fn act(&self, change: &DirectoryChange, plan: &Plan, permit: &Permit) -> Result<Made, ProviderError> { let call_id = permit.leave().await?;",
        ),
        // One whose intent is recorded with it is not committed without.
        ("providers/local/mod.rs", "permit.record(&made, &mut session.db).await?; *committed = true; session.db.commit().await?;"),
    ] {
        assert!(source(file).contains(held), "`{held}` is gone from {file}: is a change sent without an intent now?");
    }
}

#[test]
fn a_change_cannot_be_registered_as_a_read() {
    // The bounds that the doc tests of `tools::Changes` try.
    let providers = source("providers/mod.rs");
    for held in [
        "pub(crate) fn serve_read<O>( self, run: impl for<'a> Fn(&'a Scope, &'a Operand) -> HandlerFuture<'a, Value> + Send + Sync + 'static, ) -> Self where O: Operation<Effect = Read>,",
        "pub(crate) fn serve_change<O>( self, run: impl for<'a> Fn(&'a Scope, &'a Operand) -> HandlerFuture<'a, Planned> + Send + Sync + 'static, ) -> Self where O: Operation<Effect: Changes>,",
        " fn serve<O: Operation>(mut self, run: Run)",
    ] {
        assert!(providers.contains(held), "`{held}` is gone: can a change be registered as a read now?");
    }
    assert!(!providers.contains("pub(crate) fn serve<") && !providers.contains("pub(crate) handlers"));
}

#[test]
fn how_grave_a_change_is_is_judged_in_one_place() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut judges) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            if entry.extension().is_none_or(|it| it != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&entry).unwrap();
            let judges_here = text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or_default();
                let names = ["Gravity::None", "Gravity::Low", "Gravity::High", "Gravity::Critical"];
                names.iter().any(|it| code.contains(it))
                    || (code.contains("Impact {") && !code.contains("struct") && !code.contains("let "))
            });
            if judges_here {
                judges.push(entry.strip_prefix(&root).unwrap().display().to_string().replace('\\', "/"));
            }
        }
    }
    judges.sort();
    // Who asks holds a judgement against what it takes: the policy, consent, where a person answers, the page that shows it, and what
    // was agreed to. Nobody else makes one.
    let asking = ["asking.rs", "asks.rs", "consent.rs", "policy.rs", "steps.rs", "weigh.rs"].map(|it| format!("guard/{it}"));
    let wanted: Vec<String> = std::iter::once("console/questions.rs".to_owned()).chain(asking).collect();
    assert_eq!(judges, wanted);
}
