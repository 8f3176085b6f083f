using System.Text.Json;
using BpfRemote.EndToEnd.Programs;
using Google.Rpc;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace BpfRemote.EndToEnd;

/// <summary>Local users who are not root, at the agent's unix socket.</summary>
public sealed class AccessTests
{
    private const int CouldNotConnect = 7;
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static readonly string[] AsNobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_socket_is_for_root_and_its_group()
    {
        Require.Kernel();
        using AgentSite site = new();
        File.SetUnixFileMode(site.DirectoryPath, Everybody);
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            File.GetUnixFileMode(site.SocketPath));
        Assert.Contains("grpc-status: 0", (await CallAsync(site, [])).Output, StringComparison.Ordinal);
        Assert.Equal(CouldNotConnect, (await CallAsync(site, AsNobody)).ExitCode);
    }

    [Fact]
    public async Task Somebody_whom_the_socket_lets_in_is_still_turned_away()
    {
        Require.Kernel();
        using AgentSite site = new();
        File.SetUnixFileMode(site.DirectoryPath, Everybody);
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        File.SetUnixFileMode(site.SocketPath, Everybody);

        CommandResult call = await CallAsync(site, AsNobody);

        Assert.Equal(0, call.ExitCode);
        Assert.Contains($"grpc-status: {(int)StatusCode.PermissionDenied}", call.Output, StringComparison.Ordinal);
        ErrorInfo info = StatusDetails(call.Output).GetDetail<ErrorInfo>()!;
        Assert.Equal(("bpfremote", "CALLER_DENIED"), (info.Domain, info.Reason));
        Assert.Equal("unix:uid=65534", info.Metadata["principal"]);
        await agent.Program.WaitForLineAsync("Turned away unix:uid=65534 from /bpfremote.v1.NodeService/GetNode", Cancelled);
    }

    [Fact]
    public async Task Somebody_who_is_turned_away_is_written_down()
    {
        Require.Kernel();
        using AgentSite site = new();
        File.SetUnixFileMode(site.DirectoryPath, Everybody);
        string log = Path.Combine(site.DirectoryPath, "audit.log");
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled, options: ["--audit-log", log]);
        File.SetUnixFileMode(site.SocketPath, Everybody);

        await CallAsync(site, AsNobody);

        await agent.Program.WaitForLineAsync("Turned away unix:uid=65534", Cancelled);
        await agent.TerminateAsync(Cancelled);
        using JsonDocument line = JsonDocument.Parse(Assert.Single(await File.ReadAllLinesAsync(log, Cancelled)));
        Assert.Equal("denied", line.RootElement.GetProperty("event").GetString());
        Assert.Equal("unix:uid=65534", line.RootElement.GetProperty("principal").GetString());
        Assert.Matches("^unix:pid=[0-9]+$", line.RootElement.GetProperty("peer").GetString());
        Assert.Equal("/bpfremote.v1.NodeService/GetNode", line.RootElement.GetProperty("rpc").GetString());
        Assert.Equal("PERMISSION_DENIED", line.RootElement.GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("--regid=65534 --groups=4242,4243", StatusCode.OK)] // a supplementary group
    [InlineData("--regid=4243 --clear-groups", StatusCode.OK)] // the primary one
    [InlineData("--regid=65534 --groups=4242,424", StatusCode.PermissionDenied)]
    [InlineData("--regid=65534 --clear-groups", StatusCode.PermissionDenied)]
    public async Task Groups_give_rights(string groups, StatusCode status)
    {
        Require.Kernel();
        using AgentSite site = new();
        File.SetUnixFileMode(site.DirectoryPath, Everybody);
        string policy = site.Write(
            "policy.json", """{ "rules": [{ "groups": ["unix-group:gid=4243"], "rights": ["list"], "maps": [{ "name": "*" }] }] }""");
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled, options: ["--policy-file", policy]);
        File.SetUnixFileMode(site.SocketPath, Everybody);

        CommandResult call = await CallAsync(site, ["--reuid=65534", .. groups.Split(' ')]);

        Assert.Contains($"grpc-status: {(int)status}", call.Output, StringComparison.Ordinal);
    }

    /// <summary>Calls GetNode by curl: an empty message in gRPC's five-byte frame. Prints headers and trailers.</summary>
    private static async Task<CommandResult> CallAsync(AgentSite site, IEnumerable<string> identity)
    {
        string frame = Path.Combine(site.DirectoryPath, "frame");
        await File.WriteAllBytesAsync(frame, new byte[5], Cancelled);
        return await Command.RunAsync(
            Require.Program("setpriv"),
            [
                .. identity, Require.Program("curl"), "--silent", "--http2-prior-knowledge", "--unix-socket", site.SocketPath,
                "--dump-header", "-", "--output", "/dev/null", "--header", "content-type: application/grpc", "--header", "te: trailers",
                "--data-binary", $"@{frame}", "http://localhost/bpfremote.v1.NodeService/GetNode",
            ],
            Cancelled);
    }

    private static RpcStatus StatusDetails(string headers)
    {
        const string Name = "grpc-status-details-bin: ";
        string text = headers.Split("\r\n").Single(line => line.StartsWith(Name, StringComparison.Ordinal))[Name.Length..];
        return RpcStatus.Parser.ParseFrom(Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')));
    }
}
