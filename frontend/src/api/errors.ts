/** What the server, or the lack of one, said. `code` is a google.rpc code in words, or UNREACHABLE. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  /** Field of the request at fault, such as filter; empty if unknown. */
  readonly field: string;
  /** Where in that field, in UTF-8 bytes; -1 if unknown. */
  readonly offset: number;
  readonly requestId: string;

  constructor(init: {
    message: string;
    code: string;
    status: number;
    hint?: string;
    field?: string;
    offset?: number;
    requestId?: string;
  }) {
    super(init.message);
    this.name = 'ApiError';
    this.code = init.code;
    this.status = init.status;
    this.hint = init.hint ?? '';
    this.field = init.field ?? '';
    this.offset = init.offset ?? -1;
    this.requestId = init.requestId ?? '';
  }
}

const codes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

type Detail = {
  '@type'?: string;
  reason?: string;
  metadata?: Record<string, string>;
  requestId?: string;
  fieldViolations?: { field?: string; description?: string }[];
};

/** Reads a google.rpc.Status, as the gateway writes it. */
export function readError(body: unknown, response: Pick<Response, 'status' | 'statusText'>): ApiError {
  const status = (typeof body === 'object' && body !== null ? body : {}) as {
    code?: number;
    message?: string;
    details?: Detail[];
  };
  const details = Array.isArray(status.details) ? status.details : [];
  const info = details.find((d) => d.metadata !== undefined)?.metadata ?? {};
  const violation = details.flatMap((d) => d.fieldViolations ?? [])[0];
  const offset = Number(info.offset ?? Number.NaN);
  return new ApiError({
    code: codes[status.code ?? -1] ?? `HTTP_${response.status}`,
    status: response.status,
    message:
      violation?.description || status.message || response.statusText || `The server answered ${response.status}.`,
    hint: info.hint,
    field: info.field ?? violation?.field,
    offset: Number.isInteger(offset) ? offset : -1,
    requestId: details.find((d) => d.requestId)?.requestId,
  });
}

export function unreachable(cause: unknown): ApiError {
  const error = new ApiError({ code: 'UNREACHABLE', status: 0, message: 'The server cannot be reached.' });
  error.cause = cause;
  return error;
}
