# A formula for a tap. `packaging/tarball` makes the crate; set `url` to where it is published, and `sha256` from SHA256SUMS.
class Wscheck < Formula
  desc "Measures and diagnoses WebSocket connections"
  homepage "https://example.invalid/wscheck"
  url "https://example.invalid/wscheck/releases/download/v0.2.0/wscheck-0.2.0.crate"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "rust" => :build

  def install
    # A crate is an archive of its sources, which Homebrew does not unpack by that name.
    system "tar", "--strip-components=1", "-xf", "wscheck-#{version}.crate" if File.exist?("wscheck-#{version}.crate")
    system "cargo", "install", "--profile", "dist", *std_cargo_args
    generate_completions_from_executable(bin/"wscheck", "completions")
    (man1/"wscheck.1").write Utils.safe_popen_read(bin/"wscheck", "man")
    %w[doctor ping watch probe-idle listen probe-zombie exporter run serve test-client report].each do |command|
      (man1/"wscheck-#{command}.1").write Utils.safe_popen_read(bin/"wscheck", "man", command)
    end
  end

  test do
    assert_match "verdict      passed", shell_output("#{bin}/wscheck demo")
  end
end
