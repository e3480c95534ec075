//! The console's pages over HTTP: who gets in, what is refused, and that a decision made there is the guard's.

use std::sync::Arc;

use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE},
};
use rolecall::{
    app::App,
    console::{Open, link},
    providers::local::seed,
    store::Db,
    transport::http::{HttpOptions, serve_http, serve_pages},
};
use rolecall_sandbox::openai::Openai;
use tokio_util::sync::CancellationToken;

use crate::{
    lab::Lab,
    support::{Agent, DIRECTORY_TABLES, Options, Person, Store, dump, json},
    wire::{ALICE, Site, loopback},
};

/// A console, and who looks at it.
struct Pages {
    site: Site,
    app: Arc<App>,
    cookie: String,
}

impl Pages {
    async fn open(store: &Store) -> Self {
        Self::of(store.app(&Options::default()).await).await
    }

    async fn of(app: Arc<App>) -> Self {
        let stop = CancellationToken::new();
        let pages = Some(("/console", Open::pages(&app, stop.clone()).await.unwrap()));
        let bound = serve_pages(HttpOptions { pages, ..loopback() }, stop.clone()).await.unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { site: Site { addr: bound.addr, stop, bound: Some(bound), http }, app, cookie: String::new() }
    }

    /// The same with somebody signed in.
    async fn signed_in(store: &Store) -> Self {
        Self::open(store).await.with_somebody().await
    }

    async fn with_somebody(self) -> Self {
        let mut pages = self;
        let answer = pages.sign_in(&pages.code("mira").await).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().clone_into(&mut pages.cookie);
        pages
    }

    async fn code(&self, person: &str) -> String {
        let link = link(&self.app.db, &self.site.url("/console"), person).await.unwrap();
        link.split_once('#').unwrap().1.to_owned()
    }

    fn origin(&self) -> String {
        format!("http://{}", self.site.addr)
    }

    async fn sign_in(&self, code: &str) -> Response {
        self.form("/console/sign-in", &[("code", code)]).send().await.unwrap()
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.site.http.get(self.site.url(path)).header(COOKIE, &self.cookie)
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    /// A form as a page of the console sends it.
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
        let request = self.site.http.post(self.site.url(path)).header(COOKIE, &self.cookie).header(ORIGIN, self.origin());
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
    }

    async fn token(&self) -> String {
        let page = self.page("/console/").await;
        page.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|it| if it.is_ascii_alphanumeric() { char::from(it).to_string() } else { format!("%{it:02X}") }).collect()
}

/// A project that somebody wants deleted; answers the approval's id.
async fn waiting(agent: &Agent, project: &str) -> String {
    let told = agent.fails("delete_project", json!({ "project": project }), "pending_approval").await;
    told["approval_id"].as_str().unwrap().to_owned()
}

async fn practice(store: &Arc<Store>) -> Agent {
    let agent = Agent::on(store, Options { person: Person::Unreachable, ..Options::default() }).await;
    seed::seed(agent.db(), "acme").await.unwrap();
    agent
}

const PAGES: [&str; 10] = [
    "/console/",
    "/console/q/k7m2qx",
    "/console/activity",
    "/console/jobs",
    "/console/connections",
    "/console/access",
    "/console/access/cells",
    "/console/access/table",
    "/console/access/findings",
    "/console/events",
];

#[tokio::test]
async fn nothing_is_shown_without_a_sign_in_and_every_answer_forbids_frames_and_foreign_scripts() {
    let pages = Pages::open(&Store::sqlite()).await;
    for path in PAGES.into_iter().chain(["/console/nowhere"]) {
        for cookie in ["", "rolecall=1", "rolecall_0000000000=bWlyYQ.9999999999999.00.AAAA"] {
            let answer = pages.site.http.get(pages.site.url(path)).header(COOKIE, cookie).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
            let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
            for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part), "{policy}");
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(
                (&answer.headers()["x-frame-options"], &answer.headers()["cache-control"]),
                (&"DENY".parse().unwrap(), &"no-store".parse().unwrap())
            );
        }
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_the_cookie_is_for_this_store_alone() {
    let store = Store::sqlite();
    let mut pages = Pages::open(&store).await;
    let code = pages.code("mira").await;
    for wrong in ["", "0000", &code[1..], &format!("{code}0")] {
        assert_eq!(pages.sign_in(wrong).await.status(), StatusCode::FORBIDDEN, "{wrong}");
    }
    let answer = pages.sign_in(&code).await;
    assert_eq!((answer.status(), answer.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/console/"));
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=3600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(pages.sign_in(&code).await.status(), StatusCode::FORBIDDEN, "a stolen link is good for nothing");
    pages.cookie = cookie.split(';').next().unwrap().to_owned();
    assert!(pages.page("/console/").await.contains("mira · this machine"));

    let (name, value) = pages.cookie.split_once('=').unwrap();
    let altered = format!("{name}=cm9vdA{}", &value[value.find('.').unwrap()..]);
    let answer = pages.site.http.get(pages.site.url("/console/")).header(COOKIE, altered).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let other = Pages::open(&Store::sqlite()).await;
    let answer = other.site.http.get(other.site.url("/console/")).header(COOKIE, &pages.cookie).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);

    // Whoever signs out is out, whatever cookie is kept.
    let token = pages.token().await;
    assert_eq!(pages.form("/console/sign-out", &[("csrf", &token)]).send().await.unwrap().status(), StatusCode::SEE_OTHER);
    assert_eq!(pages.get("/console/").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_change_comes_from_a_page_of_this_origin_with_the_sessions_token() {
    for store in Store::each().await {
        let agent = practice(&store).await;
        let id = waiting(&agent, "Atlas").await;
        let pages = Pages::signed_in(&store).await;
        let other = Pages::signed_in(&store).await;
        let (token, foreign) = (pages.token().await, other.token().await);
        let before = dump(agent.db(), &DIRECTORY_TABLES).await;
        let path = format!("/console/q/{id}/agree");
        for csrf in ["", "0", foreign.as_str()] {
            let answer = pages.form(&path, &[("csrf", csrf), ("typed", "Atlas")]).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{csrf}");
        }
        let fields: [(&str, &str); 2] = [("csrf", &token), ("typed", "Atlas")];
        let body = format!("csrf={}&typed=Atlas", encoded(&token));
        for origin in [None, Some("null"), Some("https://evil.example"), Some("http://127.0.0.1:1"), Some("http://localhost:80")] {
            let request = pages.site.http.post(pages.site.url(&path)).header(COOKIE, &pages.cookie);
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.clone());
            let request = if let Some(origin) = origin { request.header(ORIGIN, origin) } else { request };
            assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{origin:?}");
        }
        // A page that has made a browser believe that its name is this machine's sends its own name.
        let rebound = pages.form(&path, &fields).header(HOST, "evil.example").send().await.unwrap();
        assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
        assert_eq!(pages.get("/console/").header(HOST, "evil.example:7413").send().await.unwrap().status(), StatusCode::FORBIDDEN);
        for (site, mode, dest) in [
            ("cross-site", "cors", "empty"),
            ("same-site", "no-cors", "script"),
            ("cross-site", "navigate", "iframe"),
            ("same-origin", "navigate", "iframe"),
        ] {
            let request =
                pages.get("/console/events").header("sec-fetch-site", site).header("sec-fetch-mode", mode).header("sec-fetch-dest", dest);
            assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{site} {mode} {dest}");
        }
        agent.fails("delete_project", json!({ "project": "Atlas" }), "pending_approval").await;
        assert_eq!(dump(agent.db(), &DIRECTORY_TABLES).await, before);

        let wrong = pages.form(&path, &[("csrf", &token), ("typed", "atlas")]).send().await.unwrap();
        assert_eq!(wrong.status(), StatusCode::CONFLICT);
        assert!(wrong.text().await.unwrap().contains("`atlas` does not match `Atlas`"));
        agent.fails("delete_project", json!({ "project": "Atlas" }), "pending_approval").await;

        assert_eq!(pages.form(&path, &fields).send().await.unwrap().status(), StatusCode::SEE_OTHER);
        agent.ok("delete_project", json!({ "project": "Atlas" })).await;
        let activity = pages.page("/console/activity").await;
        assert!(activity.contains("mira"), "who agreed is told");
        // Once.
        assert_eq!(pages.form(&path, &fields).send().await.unwrap().status(), StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn with_tokens_for_clients_the_pages_ask_for_their_own_sign_in_and_clients_for_theirs() {
    let store = Store::sqlite();
    let app = store.app(&Options::default()).await;
    let stop = CancellationToken::new();
    let pages = Some(("/console", Open::pages(&app, stop.clone()).await.unwrap()));
    let options = HttpOptions { tokens: vec![ALICE.into()], pages, ..loopback() };
    let bound = serve_http(rolecall::server::Server::new(app), options, stop.clone()).await.unwrap();
    let site = Site { addr: bound.addr, stop, bound: Some(bound), http: crate::support::http_client() };
    for (path, told) in
        [("/console/", "Sign in"), ("/console/sign-in", "Sign in"), ("/consolex", "token_required"), ("/mcp", "token_required")]
    {
        let text = site.http.get(site.url(path)).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
        assert!(text.contains(told), "{path}: {text}");
    }
    let foreign = site.request(Method::GET, "/console/").header(HOST, "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn hostile_names_are_shown_as_text() {
    let store = Store::sqlite();
    let agent = Agent::on(&store, Options { person: Person::Unreachable, ..Options::default() }).await;
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    for name in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a\u{202e}gpj.exe", "=cmd|' /C calc'!A0"] {
        agent.ok("create_project", json!({ "name": name })).await;
        agent.call("delete_project", json!({ "project": name })).await;
    }
    let pages = Pages::signed_in(&store).await;
    let mut paths: Vec<String> =
        PAGES.iter().filter(|it| !it.contains("/q/") && !it.ends_with("events")).map(|it| (*it).to_owned()).collect();
    let open = agent.db().read().await.unwrap().open_approvals(rolecall::domain::Timestamp::now()).await.unwrap();
    assert_eq!(open.len(), 4);
    paths.extend(open.iter().map(|it| format!("/console/q/{}", it.id)));
    for path in &paths {
        let page = pages.page(path).await;
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x") && !page.contains('\u{202e}'), "{path}");
        if path.ends_with("table") {
            assert!(!page.lines().any(|it| it.split(',').any(|it| it.starts_with(['=', '@']) || it.starts_with("\"="))), "{page}");
        }
    }
}

#[tokio::test]
async fn every_page_of_the_practice_company_is_light_and_quick() {
    let store = Store::sqlite();
    let agent = practice(&store).await;
    let id = waiting(&agent, "Atlas").await;
    let pages = Pages::signed_in(&store).await;
    let question = format!("/console/q/{id}");
    let own: usize = {
        let style = pages.page("/console/console.css").await.len();
        style + pages.page("/console/console.js").await.len()
    };
    for path in [
        "/console/",
        &question,
        "/console/activity",
        "/console/jobs",
        "/console/connections",
        "/console/access",
        "/console/access/project?name=Atlas",
        "/console/access/person?name=ana.ruiz%40acme.example",
    ] {
        let began = std::time::Instant::now();
        let page = pages.page(path).await;
        println!("{path}: {} bytes, {:?}", page.len(), began.elapsed());
        assert!(page.len() + own < 150_000, "{path}: {}", page.len());
    }
    let page = pages.page(&question).await;
    for told in [
        "Delete project: Atlas?",
        "Cannot be undone",
        "Who reaches Atlas now",
        "Ana Ruiz",
        "Type <b class=\"name\" data-typed>Atlas</b> to confirm",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let db: &Db = agent.db();
    assert!(db.read().await.unwrap().verify_ledger().await.unwrap().broken.is_none());
}

#[tokio::test]
async fn what_is_undone_from_a_page_is_asked_about_like_everything() {
    let store = Store::sqlite();
    let agent = practice(&store).await;
    let joined =
        agent.ok("add_project_member", json!({ "project": "Ember", "member": "ana.ruiz@acme.example", "roles": ["member"] })).await;
    let call = joined["call_id"].as_str().unwrap().to_owned();
    let pages = Pages::signed_in(&store).await;
    let plan = pages.page(&format!("/console/activity/{call}")).await;
    assert!(plan.contains("Ask for consent"), "{plan}");
    let token = pages.token().await;
    let answer = pages.form(&format!("/console/activity/{call}/undo"), &[("csrf", &token)]).send().await.unwrap();
    let to = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(to.starts_with("/console/q/"), "{to}");
    let question = pages.page(&to).await;
    let typed = question.split_once("data-must=\"").map(|it| it.1.split('"').next().unwrap().to_owned()).unwrap_or_default();
    let reach = json!({ "project": "Ember", "query": "ana" });
    let before = agent.ok("list_project_members", reach.clone()).await["shown"].clone();
    let agreed = pages.form(&format!("{to}/agree"), &[("csrf", &token), ("typed", &typed)]).send().await.unwrap();
    assert_eq!(agreed.status(), StatusCode::SEE_OTHER);
    for _ in 0..100 {
        if agent.ok("list_project_members", reach.clone()).await["shown"] != before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it was not undone");
}

#[tokio::test]
async fn what_a_review_finds_is_planned_from_its_page_and_asked_about_like_everything() {
    for store in Store::each().await {
        let agent = practice(&store).await;
        let pages = Pages::signed_in(&store).await;
        let found = pages.page("/console/access/findings?connection=local&organization=Acme").await;
        let value = |page: &str, name: &str| {
            let value = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1.split('"').next().unwrap();
            value.replace("&quot;", "\"").replace("&amp;", "&")
        };
        let (tool, arguments, token) = (value(&found, "tool"), value(&found, "arguments"), pages.token().await);
        assert_eq!(tool, "cancel_invitation", "the gravest first");
        let fields = |arguments: &str, csrf: &str| {
            [("csrf", csrf), ("connection", "local"), ("organization", "Acme"), ("tool", &tool), ("arguments", arguments)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let send = async |path: &str, fields: [(String, String); 5]| {
            let fields = fields.each_ref().map(|it| (it.0.as_str(), it.1.as_str()));
            pages.form(path, &fields).send().await.unwrap()
        };
        let before = dump(agent.db(), &DIRECTORY_TABLES).await;
        let waiting = async || agent.db().read().await.unwrap().open_approvals(rolecall::domain::Timestamp::now()).await.unwrap().len();
        let (plan, mend) = ("/console/access/findings/plan", "/console/access/findings/mend");
        for path in [plan, mend] {
            assert_eq!(send(path, fields(&arguments, "0")).await.status(), StatusCode::FORBIDDEN);
            // No other call is made from there than one that the review proposes.
            let other = send(path, fields("{\"organization\":\"org_acme\",\"invitation\":\"noemi.farkas@acme.example\"}", &token)).await;
            assert!(other.text().await.unwrap().contains("finds nothing any more"), "{path}");
        }
        let planned = send(plan, fields(&arguments, &token)).await.text().await.unwrap();
        assert!(planned.contains("Ask for consent") && planned.contains("petra@consulting.example"), "{planned}");
        assert_eq!(
            (waiting().await, dump(agent.db(), &DIRECTORY_TABLES).await),
            (0, before.clone()),
            "a plan changes nothing, and asks nobody"
        );
        let asked = send(mend, fields(&arguments, &token)).await;
        let to = asked.headers()[LOCATION].to_str().unwrap().to_owned();
        assert!(to.starts_with("/console/q/"), "{to}");
        assert_eq!((waiting().await, dump(agent.db(), &DIRECTORY_TABLES).await), (1, before), "it waits for a person");
    }
}

#[tokio::test]
async fn a_question_tells_all_who_lose_and_from_what_to_what_a_thing_changes() {
    let store = Store::sqlite();
    let agent = practice(&store).await;
    let id = waiting(&agent, "Atlas").await;
    let pages = Pages::signed_in(&store).await;
    let page = pages.page(&format!("/console/q/{id}")).await;
    let named = page.split_once("all by name").unwrap().1.split_once("</table>").unwrap().0;
    assert_eq!(named.matches("<tr>").count(), 1 + 13, "the head, and 13 people: {named}");
    assert!(named.contains("priya.raman@acme.example"), "{named}");
    let change = json!({ "organization": "acme", "member": "jonas.weber@acme.example", "role": "admin" });
    let told = agent.fails("update_organization_member", change, "pending_approval").await;
    let page = pages.page(&format!("/console/q/{}", told["approval_id"].as_str().unwrap())).await;
    let changes = page.split_once("What changes").unwrap().1.split_once("</dl>").unwrap().0;
    assert!(changes.contains("<del>member</del>") && changes.contains("<ins>admin</ins>"), "{changes}");
}

#[tokio::test]
async fn a_project_tells_who_can_do_what_and_by_which_way() {
    let store = Store::sqlite();
    practice(&store).await;
    let page = Pages::signed_in(&store).await.page("/console/access/project?name=Ember").await;
    let able = page.split_once("Who can do what").unwrap().1.split_once("</table>").unwrap().0;
    assert!(able.contains("Declan Byrne") && able.contains("owner, own role") && able.contains("read, write, invite"), "{able}");
}

#[tokio::test]
async fn connections_tell_their_pace_and_what_went_wrong_last_with_its_mend() {
    let it = Lab::<Openai>::new().await;
    let pages = Pages::of(Arc::clone(&it.agent.app)).await.with_somebody().await;
    let page = pages.page("/console/connections").await;
    assert!(page.contains("as fast as the service answers, at most 16 at once") && page.contains("0 requests wait"), "{page}");
    assert!(!page.contains("Last error"), "{page}");
    it.faults(&["503:1@GET"]);
    let told = it.agent.call("list_projects", json!({})).await;
    assert!(told.get("code").is_some(), "{told}");
    it.faults(&[]);
    let page = pages.page("/console/connections").await;
    let failed = page.split_once("Last error").unwrap().1;
    assert!(page.contains(">answers<") && failed.contains("the service failed") && failed.contains("<dt>Mend</dt>"), "{page}");
    // That something is not there is no failure.
    it.agent.call("get_project", json!({ "project": "Nowhere" })).await;
    assert!(pages.page("/console/connections").await.contains("the service failed"));
}
