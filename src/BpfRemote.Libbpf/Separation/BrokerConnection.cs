using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf.Separation;

/// <summary>A server's connection to its broker, which finds and opens maps for it.</summary>
/// <remarks>Two channels, so that nothing waits for a walk over /proc but another walk.</remarks>
public sealed class BrokerConnection : IMapAccess, IDisposable
{
    private readonly BrokerChannel _opens;
    private readonly BrokerChannel _walks;
    private readonly Lock _openLock = new();
    private readonly Lock _walkLock = new();

    /// <param name="opens">The inherited file descriptor of the channel for opening maps.</param>
    /// <param name="walks">The inherited file descriptor of the channel for walks.</param>
    public BrokerConnection(int opens, int walks)
        : this(new BrokerChannel(new(opens, ownsHandle: true)), new BrokerChannel(new(walks, ownsHandle: true)))
    {
    }

    internal BrokerConnection(BrokerChannel opens, BrokerChannel walks)
    {
        _opens = opens;
        _walks = walks;
    }

    /// <summary>Blocks until the broker is gone, or wants the server to end.</summary>
    public void WaitForHangUp() => _walks.WaitForHangUp();

    public void Dispose()
    {
        _opens.Dispose();
        _walks.Dispose();
    }

    IEnumerable<uint> IMapAccess.MapIds(uint after)
    {
        for (uint? id = NextMapId(after); id is not null; id = NextMapId(id.Value))
        {
            yield return id.Value;
        }
    }

    SafeBpfHandle IMapAccess.OpenMap(uint id) =>
        Open(BrokerRequest.OpenMap, id, "", nameof(BpfMap.bpf_map_get_fd_by_id_opts), $"map {id}");

    SafeBpfHandle IMapAccess.OpenPin(string path) =>
        Open(BrokerRequest.OpenPin, 0, path, nameof(BpfObj.bpf_obj_get_opts), path);

    SafeBpfHandle IMapAccess.OpenBtf(uint id) =>
        Open(BrokerRequest.OpenBtf, id, "", nameof(BpfBtf.bpf_btf_get_fd_by_id), $"BTF {id}");

    PinnedMaps IMapAccess.ReadPins(CancellationToken cancellationToken)
    {
        List<(uint MapId, string Path)> pins = [];
        Walk(BrokerRequest.ReadPins, (in BrokerMessage item) => pins.Add((item.First, item.Text)), cancellationToken);
        return PinnedMaps.From(pins);
    }

    MapOwners IMapAccess.ReadOwners(CancellationToken cancellationToken)
    {
        HashSet<(uint MapId, OwnerProcess Owner)> owners = [];
        uint complete = Walk(
            BrokerRequest.ReadOwners,
            (in BrokerMessage item) => owners.Add((item.First, new(item.Second, item.Text))),
            cancellationToken);
        return MapOwners.From(owners, complete != 0);
    }

    MapPrograms IMapAccess.ReadPrograms(CancellationToken cancellationToken)
    {
        List<(uint MapId, BpfProgram Program)> uses = [];
        Walk(
            BrokerRequest.ReadPrograms,
            (in BrokerMessage item) => uses.Add((item.First, new(item.Second, item.Text, item.Third) { RecursionMisses = item.Count })),
            cancellationToken);
        return MapPrograms.From(uses);
    }

    private delegate void TakeItem(in BrokerMessage item);

    private uint? NextMapId(uint after)
    {
        BrokerMessage request = new() { Kind = (uint)BrokerRequest.NextMapId, First = after };
        BrokerMessage answer;
        lock (_openLock)
        {
            _opens.Send(request);
            answer = Receive(_opens, out _);
        }

        return (BrokerAnswer)answer.Kind == BrokerAnswer.Done ? answer.First
            : (Errno)answer.First == Errno.ENOENT ? null
            : throw new BpfException(nameof(BpfMap.bpf_map_get_next_id), (Errno)answer.First, $"map {after}");
    }

    private SafeBpfHandle Open(BrokerRequest kind, uint id, string path, string operation, string subject)
    {
        BrokerMessage request = new() { Kind = (uint)kind, First = id, Text = path };
        BrokerMessage answer;
        int? passed;
        lock (_openLock)
        {
            _opens.Send(request);
            answer = Receive(_opens, out passed);
        }

        Errno refusal = (BrokerAnswer)answer.Kind == BrokerAnswer.Failed ? (Errno)answer.First : Errno.EIO;
        return SafeBpfHandle.Wrap(passed ?? -(int)refusal, operation, subject);
    }

    /// <returns>What the last message of the answer holds.</returns>
    private uint Walk(BrokerRequest kind, TakeItem take, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_walkLock)
        {
            _walks.Send(new() { Kind = (uint)kind });
            while (true)
            {
                BrokerMessage answer = Receive(_walks, out _);
                switch ((BrokerAnswer)answer.Kind)
                {
                    case BrokerAnswer.Item:
                        take(answer);
                        break;
                    case BrokerAnswer.Done:
                        return answer.First;
                    default:
                        throw new BpfException($"{kind}", (Errno)answer.First, "the node");
                }
            }
        }
    }

    private static BrokerMessage Receive(BrokerChannel channel, out int? passed) =>
        channel.TryReceive(out BrokerMessage answer, out passed)
            ? answer
            : throw new BpfException("broker", Errno.EPIPE, "the socket between server and broker");
}
