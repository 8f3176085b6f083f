using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Output;
using BpfRemote.Client;

namespace BpfRemote.Cli.Commands;

/// <summary><c>bundle inspect FILE</c></summary>
internal sealed class BundleInspect : RemoteCommand
{
    private readonly Argument<string[]> _words = Words("FILE", "FILE is the bundle.");

    public BundleInspect()
        : base("inspect", "Say what a bundle holds: of which node, when, which maps, and whether all of them.") => Add(_words);

    public override string Examples =>
        """
        bpfremote bundle inspect case.zip
        bpfremote -j bundle inspect case.zip | jq '.maps[] | select(.complete)'
        """;

    public override Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        WordReader words = new(parse.GetValue(_words) ?? []);
        string path = words.Take("a bundle: FILE");
        words.ExpectEnd();
        Write(session, Open(path));
        return Task.FromResult(ExitCode.Done);
    }

    /// <summary>Writes what a bundle holds.</summary>
    public static void Write(Session session, Bundle bundle)
    {
        if (session.Settings.Format == OutputFormat.Table)
        {
            BundleText.Write(session.Output, bundle, session.Terminal.Width, session.Terminal.Colour);
        }
        else
        {
            session.WriteJson([bundle], asArray: false, BundleJson.Write);
        }
    }

    private static Bundle Open(string path)
    {
        try
        {
            return Bundle.Open(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"can't read '{path}': {error.Message}");
        }
    }
}
