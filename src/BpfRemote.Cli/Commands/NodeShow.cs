using System.CommandLine;
using BpfRemote.Cli.Output;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>node show</c></summary>
internal sealed class NodeShow() : RemoteCommand("show", "Describe the node, its agent, who you are to it, and its limits.")
{
    public override string Examples =>
        """
        bpfremote node show
        bpfremote -j node show | jq .kernel_release
        bpfremote --address http://127.0.0.1:9090 --plaintext node show
        """;

    public override async Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        Node node = await session.Client.GetNodeAsync(cancellationToken);
        if (session.Settings.Format == OutputFormat.Table)
        {
            NodeText.Card(node).Write(session.Output, session.Terminal.Colour);
        }
        else
        {
            session.WriteJson([node], asArray: false, NodeJson.Write);
        }

        return ExitCode.Done;
    }
}
