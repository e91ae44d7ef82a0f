package api

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// domain names us in ErrorInfo details.
const domain = "waypost.dev"

// status is the one place where an error gets its gRPC code. What is not
// known here becomes Internal; its cause is logged and not told.
func (g *gate) status(err error, id, method string) error {
	var s *statusError
	if errors.As(err, &s) {
		return s.GRPCStatus().Err()
	}
	var invalid *protovalidate.ValidationError
	if errors.As(err, &invalid) {
		return violations(invalid).GRPCStatus().Err()
	}
	var query *index.QueryError
	if errors.As(err, &query) {
		return queryError(query).GRPCStatus().Err()
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return (&statusError{code: codes.NotFound, message: err.Error()}).GRPCStatus().Err()
	case errors.Is(err, harvest.ErrUnknownSource):
		return (&statusError{code: codes.NotFound, message: err.Error()}).GRPCStatus().Err()
	case errors.Is(err, store.ErrBusy):
		return (&statusError{code: codes.Aborted, message: err.Error() + " by another process; try again later",
			details: []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "SOURCE_BUSY", Domain: domain}}}).GRPCStatus().Err()
	case isContext(err):
		return status.FromContextError(err).Err()
	}
	if st, ok := status.FromError(err); ok && st.Code() != codes.Unknown {
		return err
	}
	g.log.Error("call failed", "method", method, "request_id", id, "error", err)
	return (&statusError{
		code:    codes.Internal,
		message: "internal error; the server's log has the cause under request id " + id,
		details: []protoadapt.MessageV1{&errdetails.RequestInfo{RequestId: id}},
	}).GRPCStatus().Err()
}

// statusError is an error that handlers return on purpose.
type statusError struct {
	code    codes.Code
	message string
	details []protoadapt.MessageV1
}

func (e *statusError) Error() string { return e.message }

// GRPCStatus makes it known to package status.
func (e *statusError) GRPCStatus() *status.Status {
	st := status.New(e.code, e.message)
	if len(e.details) == 0 {
		return st
	}
	if with, err := st.WithDetails(e.details...); err == nil {
		return with
	}
	return st // a detail that cannot be encoded is better lost than the error
}

// notFound says that a resource does not exist.
func notFound(kind, name, message string) error {
	return &statusError{codes.NotFound, message, []protoadapt.MessageV1{
		&errdetails.ResourceInfo{ResourceType: kind, ResourceName: name, Description: message},
	}}
}

// badField says what is wrong with one field of the request.
func badField(field, reason, description string) *statusError {
	return &statusError{codes.InvalidArgument, field + ": " + description, []protoadapt.MessageV1{
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: field, Reason: reason, Description: description},
		}},
	}}
}

// queryError tells where in a filter, an order or a field list the fault is.
func queryError(q *index.QueryError) *statusError {
	description := q.Reason
	if q.Hint != "" {
		description += "; " + q.Hint
	}
	e := badField(q.Field, "INVALID_QUERY", description)
	info := &errdetails.ErrorInfo{Reason: "INVALID_QUERY", Domain: domain, Metadata: map[string]string{"field": q.Field}}
	if q.Offset >= 0 {
		info.Metadata["offset"] = strconv.Itoa(q.Offset)
		e.message = fmt.Sprintf("%s, at offset %d: %s", q.Field, q.Offset, description)
	}
	if q.Hint != "" {
		info.Metadata["hint"] = q.Hint
	}
	e.details = append(e.details, info)
	return e
}

// meant says in words what a pattern asks for.
func meant(pattern string) string {
	switch {
	case strings.HasPrefix(pattern, "^locations/"):
		return "must be locations/ID, as ListLocations (GET /v1/locations) gives it"
	case strings.HasPrefix(pattern, "^(url|file):"):
		return "must be url:https://HOST/PATH, or file:PATH where the operator allows that"
	}
	return "must be entities/KIND:NAMESPACE/NAME, such as entities/component:default/shop"
}

// violations are the broken rules of a request, each with its field.
func violations(invalid *protovalidate.ValidationError) *statusError {
	b := &errdetails.BadRequest{}
	message := "request is invalid"
	for i, v := range invalid.Violations {
		field := protovalidate.FieldPathString(v.Proto.GetField())
		text := v.Proto.GetMessage()
		switch {
		case v.Proto.GetRuleId() == "string.pattern":
			text = meant(v.RuleValue.String())
		case text == "":
			text = "breaks rule " + v.Proto.GetRuleId()
		}
		b.FieldViolations = append(b.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: field, Reason: "INVALID_FIELD", Description: text,
		})
		switch {
		case i < 3:
			message += map[bool]string{true: ": ", false: "; "}[i == 0] + field + " " + text
		case i == 3:
			message += fmt.Sprintf("; and %d more", len(invalid.Violations)-3)
		}
		if i == 99 {
			break // as much as anybody reads
		}
	}
	return &statusError{codes.InvalidArgument, message, []protoadapt.MessageV1{b}}
}
