# The Homebrew formula. packages/build.py fills in version and sums, and its --home the address.
class Rolecall < Formula
  desc "MCP server through which AI assistants run organizations"
  homepage "@home@"
  version "@version@"
  license "Apache-2.0"

@archives@
  def install
    bin.install "rolecall"
    generate_completions_from_executable(bin/"rolecall", "completions")
    man1.install Dir["man/*.1"]
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/rolecall --version")
  end
end
