# A package of this checkout: `nix-build --expr 'with import <nixpkgs> {}; callPackage ./packaging/nix/package.nix {}'`.
{ lib, rustPlatform, installShellFiles }:

rustPlatform.buildRustPackage {
  pname = "wscheck";
  version = (lib.importTOML ../../Cargo.toml).package.version;

  src = lib.cleanSource ../..;
  cargoLock.lockFile = ../../Cargo.lock;
  buildType = "dist";

  # The tests measure real servers, which a sandbox lacks; `.ci/run` runs them.
  doCheck = false;
  doInstallCheck = true;
  installCheckPhase = ''
    $out/bin/wscheck --version
  '';

  nativeBuildInputs = [ installShellFiles ];
  postInstall = ''
    patchShebangs packaging/generate
    packaging/generate $out/bin/wscheck generated
    installManPage generated/man/*.1
    installShellCompletion --cmd wscheck \
      --bash generated/completions/wscheck.bash \
      --zsh generated/completions/_wscheck \
      --fish generated/completions/wscheck.fish
    install -Dm644 packaging/systemd/*.service -t $out/lib/systemd/system
  '';

  meta = {
    description = "Measures and diagnoses WebSocket connections";
    license = lib.licenses.mit;
    mainProgram = "wscheck";
    platforms = lib.platforms.unix;
  };
}
