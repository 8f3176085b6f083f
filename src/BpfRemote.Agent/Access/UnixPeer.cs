using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace BpfRemote.Agent.Access;

/// <summary>Reads who is at the other end of a unix socket: the kernel says, as of the moment of the connect.</summary>
internal static class UnixPeer
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int SoPeerGroups = 59;
    private const int UcredSize = 12; // pid, uid, gid
    private const int MaxGroups = 65_536; // NGROUPS_MAX

    /// <summary>The peer, with its group and its supplementary groups.</summary>
    /// <exception cref="SocketException">The kernel does not say.</exception>
    public static Caller Of(Socket socket)
    {
        Span<byte> ucred = stackalloc byte[UcredSize];
        int length = socket.GetRawSocketOption(SolSocket, SoPeerCred, ucred);
        if (length != UcredSize)
        {
            throw new SocketException((int)SocketError.ProtocolOption, $"SO_PEERCRED gave {length} bytes; expected {UcredSize}");
        }

        int pid = BitConverter.ToInt32(ucred);
        uint uid = BitConverter.ToUInt32(ucred[sizeof(int)..]);
        uint gid = BitConverter.ToUInt32(ucred[(sizeof(int) + sizeof(uint))..]);
        return new($"unix:uid={uid}", [.. SupplementaryGroups(socket).Prepend(gid).Distinct().Select(NameOf)], $"unix:pid={pid}");
    }

    /// <summary>How a group is called in a policy.</summary>
    public static string NameOf(uint gid) => $"unix-group:gid={gid}";

    private static uint[] SupplementaryGroups(Socket socket)
    {
        // A buffer that is too short is refused with ERANGE and the length that it takes, which .NET does not pass on.
        for (int room = 64; ; room *= 8)
        {
            byte[] groups = new byte[room * sizeof(uint)];
            try
            {
                return MemoryMarshal.Cast<byte, uint>(groups.AsSpan(0, socket.GetRawSocketOption(SolSocket, SoPeerGroups, groups))).ToArray();
            }
            catch (SocketException) when (room < MaxGroups)
            {
            }
        }
    }
}
