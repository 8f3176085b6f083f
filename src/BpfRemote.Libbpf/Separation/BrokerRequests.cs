namespace BpfRemote.Libbpf.Separation;

/// <summary>Takes one message of an answer.</summary>
/// <param name="answer">The message.</param>
/// <param name="opened">A file descriptor that goes with it; closed here afterwards.</param>
internal delegate void BrokerReply(in BrokerMessage answer, SafeBpfHandle? opened);

/// <summary>Answers what a server asks for. The server may have been taken over: nothing in a request is trusted.</summary>
/// <param name="access">The privilege of the broker.</param>
/// <param name="mode">What it is there for. In mode pins nothing is found or opened by id.</param>
internal sealed class BrokerRequests(IMapAccess access, MapAccess mode)
{
    /// <summary>Answers one request: items, if it asks for some, and then Done or Failed.</summary>
    internal void Answer(in BrokerMessage request, BrokerReply reply)
    {
        try
        {
            switch ((BrokerRequest)request.Kind)
            {
                case BrokerRequest.OpenPin:
                    string path = request.Text;
                    Opened(path is ['/', ..] ? access.OpenPin(path) : throw Refused(Errno.EINVAL), reply);
                    break;
                case BrokerRequest.ReadPins:
                    ReplyPins(reply);
                    break;
                case BrokerRequest.ReadOwners:
                    ReplyOwners(reply);
                    break;
                case BrokerRequest.NextMapId when mode is MapAccess.Enumerate:
                    uint next = access.MapIds(request.First).FirstOrDefault();
                    reply(next != 0 ? Done(next) : throw Refused(Errno.ENOENT), null);
                    break;
                case BrokerRequest.OpenMap when mode is MapAccess.Enumerate:
                    Opened(access.OpenMap(request.First), reply);
                    break;
                case BrokerRequest.OpenBtf when mode is MapAccess.Enumerate:
                    Opened(access.OpenBtf(request.First), reply);
                    break;
                case BrokerRequest.ReadPrograms when mode is MapAccess.Enumerate:
                    ReplyPrograms(reply);
                    break;
                default:
                    throw Refused(Enum.IsDefined((BrokerRequest)request.Kind) ? Errno.EPERM : Errno.EINVAL);
            }
        }
        catch (BpfException e)
        {
            reply(new() { Kind = (uint)BrokerAnswer.Failed, First = (uint)e.Errno }, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reply(new() { Kind = (uint)BrokerAnswer.Failed, First = (uint)Errno.EIO }, null);
        }
    }

    private static void Opened(SafeBpfHandle opened, BrokerReply reply)
    {
        using (opened)
        {
            reply(Done(), opened);
        }
    }

    private static BrokerMessage Done(uint first = 0) => new() { Kind = (uint)BrokerAnswer.Done, First = first };

    private static BrokerMessage Item(uint mapId, uint second, uint third, string text, ulong count = 0) =>
        new() { Kind = (uint)BrokerAnswer.Item, First = mapId, Second = second, Third = third, Count = count, Text = text };

    private static BpfException Refused(Errno errno) => new("broker", errno, "a request");

    private void ReplyPins(BrokerReply reply)
    {
        foreach ((uint mapId, IReadOnlyList<string> paths) in access.ReadPins(CancellationToken.None).ByMapId)
        {
            foreach (string path in paths)
            {
                reply(Item(mapId, 0, 0, path), null);
            }
        }

        reply(Done(), null);
    }

    private void ReplyOwners(BrokerReply reply)
    {
        MapOwners owners = access.ReadOwners(CancellationToken.None);
        foreach ((uint mapId, IReadOnlyList<OwnerProcess> processes) in owners.ByMapId)
        {
            foreach (OwnerProcess process in processes)
            {
                reply(Item(mapId, process.Pid, 0, process.Comm), null);
            }
        }

        reply(Done(owners.Complete ? 1u : 0), null);
    }

    private void ReplyPrograms(BrokerReply reply)
    {
        foreach ((uint mapId, IReadOnlyList<BpfProgram> programs) in access.ReadPrograms(CancellationToken.None).ByMapId)
        {
            foreach (BpfProgram program in programs)
            {
                reply(Item(mapId, program.Id, program.Type, program.Name, program.RecursionMisses), null);
            }
        }

        reply(Done(), null);
    }
}
