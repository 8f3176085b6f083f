using BpfRemote.Cli.Output;

namespace BpfRemote.Cli;

/// <summary>What the options say that every command has.</summary>
/// <param name="Address">Where the agent is.</param>
/// <param name="Plaintext">Whether an address without encryption is meant.</param>
/// <param name="Format">The form of the results.</param>
/// <param name="JsonStyle">How JSON is laid out.</param>
/// <param name="ShowReferences">Whether to show pinned paths, programs and owners.</param>
internal sealed record Settings(string Address, bool Plaintext, OutputFormat Format, JsonStyle JsonStyle, bool ShowReferences);
