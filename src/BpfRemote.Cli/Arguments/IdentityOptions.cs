using System.CommandLine;
using BpfRemote.Client;

namespace BpfRemote.Cli.Arguments;

/// <summary>The options that say who the caller is to an https agent, and whom it trusts.</summary>
internal sealed class IdentityOptions
{
    private readonly Option<string?> _certificateFile = File(
        "--tls-cert-file",
        "The certificate to show the agent, with its intermediates, in PEM",
        BpfRemoteClientOptions.TlsCertificateFileVariable);

    private readonly Option<string?> _keyFile = File(
        "--tls-key-file", "That certificate's private key, in PEM", BpfRemoteClientOptions.TlsKeyFileVariable);

    private readonly Option<string?> _caFile = File(
        "--tls-ca-file", "The roots to trust instead of the system's, in PEM", BpfRemoteClientOptions.TlsCaFileVariable);

    private readonly Option<string?> _serverName = Text(
        "--tls-server-name",
        "NAME",
        "The name that the agent's certificate must have, if not the host",
        BpfRemoteClientOptions.TlsServerNameVariable);

    private readonly Option<string?> _tokenFile = File(
        "--token-file", "The bearer token to send with every call", BpfRemoteClientOptions.TokenFileVariable);

    public IEnumerable<Option> All => [_certificateFile, _keyFile, _caFile, _serverName, _tokenFile];

    /// <summary>Options of a client, with what the command line says put in the place of what the environment says.</summary>
    public BpfRemoteClientOptions Read(ParseResult parse, BpfRemoteClientOptions environment)
    {
        string? certificateFile = parse.GetValue(_certificateFile);
        string? keyFile = parse.GetValue(_keyFile);

        // A certificate and its key are of one source, lest one of each is mixed.
        bool isGiven = (certificateFile ?? keyFile) is not null;
        return environment with
        {
            TlsCertificateFile = isGiven ? certificateFile : environment.TlsCertificateFile,
            TlsKeyFile = isGiven ? keyFile : environment.TlsKeyFile,
            TlsCaFile = parse.GetValue(_caFile) ?? environment.TlsCaFile,
            TlsServerName = parse.GetValue(_serverName) ?? environment.TlsServerName,
            TokenFile = parse.GetValue(_tokenFile) ?? environment.TokenFile,
        };
    }

    private static Option<string?> File(string name, string what, string variable) => Text(name, "FILE", what, variable);

    private static Option<string?> Text(string name, string value, string what, string variable) => new(name)
    {
        Description = $"{what}; https only. [default: ${variable}]",
        HelpName = value,
        Recursive = true,
    };
}
