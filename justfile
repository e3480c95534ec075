# What one does often. `just` lists it.

_default:
    @just --list

# Watch an assistant work, and be stopped.
demo:
    cargo run --release -- demo

# All tests; with TEST_POSTGRES=postgres://… on PostgreSQL too.
test *args:
    cargo test {{args}}

# Formatting, clippy and, where it is installed, the dependencies' licences and sources.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --all-targets --features conformance -- -D warnings
    cargo clippy --no-default-features -- -D warnings
    if cargo deny --version >/dev/null 2>&1; then cargo deny check bans licenses sources; fi

# Benchmarks against a bare server.
bench *args:
    cargo bench {{args}}

# Writes what is generated: docs/tools.md, the snapshots of the tool list. Then the API documentation.
docs:
    UPDATE_README=1 INSTA_UPDATE=always cargo test --test it
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# Official clients and the conformance suite against the real program.
e2e:
    mkdir -p .e2e
    cargo build --features conformance
    cp target/debug/rolecall .e2e/rolecall-conformance
    cargo build
    cp target/debug/rolecall .e2e/rolecall
    tests/e2e/run.sh .e2e/rolecall .e2e/rolecall-conformance

# Everything that CI checks.
ci:
    .ci/run
