using System.Net.Sockets;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;

namespace BpfRemote.Agent.Access;

/// <summary>Who calls, as the transport proves it.</summary>
/// <param name="Principal">One string: <c>unix:uid=0</c>, <c>anonymous</c>.</param>
/// <param name="MayCall">Whether this agent answers the caller at all.</param>
internal sealed record Caller(string Principal, bool MayCall)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int UcredSize = 12; // pid, uid, gid

    /// <summary>Whoever reaches a plaintext listener.</summary>
    public static readonly Caller Anonymous = new("anonymous", MayCall: true);

    /// <summary>The peer of a unix socket: root, and under simulation whoever can connect, for sample maps are no secret.</summary>
    public static Caller OfUnixPeer(IConnectionSocketFeature connection, bool simulated)
    {
        Span<byte> ucred = stackalloc byte[UcredSize];
        int length = connection.Socket.GetRawSocketOption(SolSocket, SoPeerCred, ucred);
        if (length != UcredSize)
        {
            throw new SocketException((int)SocketError.ProtocolOption, $"SO_PEERCRED gave {length} bytes; expected {UcredSize}");
        }

        uint uid = BitConverter.ToUInt32(ucred[sizeof(uint)..]);
        return new Caller($"unix:uid={uid}", MayCall: uid == 0 || simulated);
    }

    /// <summary>The caller of a call, as its listener put it on the connection.</summary>
    public static Caller Of(ServerCallContext context) => context.GetHttpContext().Features.Get<Caller>()
        ?? throw new InvalidOperationException("the listener did not identify its connection");
}
