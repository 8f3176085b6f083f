using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Output;
using BpfRemote.Client;

namespace BpfRemote.Cli;

/// <summary>The options that every command has, before it or after it.</summary>
internal sealed class GlobalOptions
{
    private readonly Option<string?> _address = new("--address")
    {
        Description = $"The agent: unix:///path, https://host:port or http://127.0.0.1:port; or file:PATH of a bundle. "
            + $"[default: ${BpfRemoteClientOptions.AddressVariable}, else {BpfRemoteClientOptions.DefaultAddress}]",
        HelpName = "ENDPOINT",
        Recursive = true,
    };

    private readonly IdentityOptions _identity = new();

    private readonly Option<bool> _plaintext = new("--plaintext")
    {
        Description = "Accept an http:// address, which is not encrypted; loopback only.",
        Recursive = true,
    };

    private readonly Option<bool> _json = new("--json", "-j")
    {
        Description = "Print the JSON that bpftool prints; errors too, as {\"error\":\"…\"} (same as -o json).",
        Recursive = true,
    };

    private readonly Option<bool> _pretty = new("--pretty", "-p")
    {
        Description = "Print that JSON indented.",
        Recursive = true,
    };

    private readonly Option<bool> _references = new("--bpffs", "-f")
    {
        Description = "Show where maps are pinned, and which programs and processes use them.",
        Recursive = true,
    };

    private readonly Option<string?> _output = CheckedOptions.Choice("--output", ["-o"], "table", "json", "ndjson", "csv", "raw");

    public GlobalOptions()
    {
        _output.Description = "The form of the results: a table to read (default), json, ndjson (one object a line), "
            + "or for entries csv and raw (packed bytes).";
        _output.HelpName = "FORMAT";
        _output.Recursive = true;
    }

    public void AddTo(Command root)
    {
        foreach (Option option in (Option[])[_address, .. _identity.All, _plaintext, _json, _pretty, _references, _output])
        {
            root.Add(option);
        }
    }

    /// <summary>Whether errors are to be JSON on standard output: known also where the command line is wrong otherwise.</summary>
    public JsonStyle? JsonErrorStyle(ParseResult parse) =>
        parse.GetResult(_pretty) is { Implicit: false } ? JsonStyle.Pretty
        : parse.GetResult(_json) is { Implicit: false } || parse.GetResult(_output) is { Tokens: [{ Value: "json" }] } ? JsonStyle.Compact
        : null;

    /// <exception cref="CommandException">Options contradict each other.</exception>
    public Settings Read(ParseResult parse)
    {
        string? output = parse.GetValue(_output);
        bool json = parse.GetValue(_json) || parse.GetValue(_pretty);
        if (json && output is not (null or "json"))
        {
            throw CommandException.Usage($"-o {output} contradicts -j and -p, which ask for JSON");
        }

        return new(
            _identity.Read(parse, BpfRemoteClientOptions.FromEnvironment(parse.GetValue(_address))) with
            {
                Plaintext = parse.GetValue(_plaintext),
            },
            output switch
            {
                "json" => OutputFormat.Json,
                "ndjson" => OutputFormat.Ndjson,
                "csv" => OutputFormat.Csv,
                "raw" => OutputFormat.Raw,
                _ => json ? OutputFormat.Json : OutputFormat.Table,
            },
            parse.GetValue(_pretty) ? JsonStyle.Pretty : JsonStyle.Compact,
            parse.GetValue(_references));
    }
}
